import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that arrive between two collections. */
const EVERY = 8 * 1024 * 1024;

let collect: NodeJS.GCFunction | undefined;
let arrived = 0;

/**
 * To be told of each piece of an upload, so that the pieces before it do not pile up. Node reads each piece into a buffer of up to
 * 64 kB outside of V8's heap. V8 takes it for a small object, and lets hundreds of them lie until it collects young objects by itself:
 * eight uploads of 50 MB at once took 70 MB, and take 15 (docs/adr/0060-memory-and-start.md).
 */
export function pieceHasArrived({ length }: Buffer | Uint8Array): void {
  arrived += length;
  if (arrived < EVERY) return;
  arrived = 0;
  collect ??= exposedCollector();
  void collect({ type: 'minor' });
}

/** V8 shows its collector to contexts that are created while the flag is set. */
function exposedCollector(): NodeJS.GCFunction {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as NodeJS.GCFunction;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
