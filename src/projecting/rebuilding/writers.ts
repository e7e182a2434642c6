import type { Consumer } from '../consumer.ts';

/**
 * How many connections fill the tables at once. More would not be faster on two cores: reading and folding the events
 * keeps the process itself busy.
 */
const WRITERS = 2;

/** The number of writers of a rebuild or a verification. Each has a checkpoint of its own, and applies its share of the streams. */
export function writersOf({ independentBy }: Consumer): number {
  return independentBy === undefined ? 1 : WRITERS;
}

/** Which writer applies the events of the stream. */
export function writerOf({ independentBy }: Consumer, stream: string, writers: number): number {
  return independentBy === undefined ? 0 : hashOf(independentBy(stream)) % writers;
}

/** Faster than the CRC-32 of `partitionOf` for each of millions of events. Both writers of a rebuild are in one process. */
function hashOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}
