import { setFlagsFromString } from 'node:v8';

let users = 0;

/**
 * Keeps the heap small until it is disposed. A rebuild turns the whole log into objects that are garbage a moment later. With its
 * usual settings V8 lets several hundred megabytes of them pile up before it collects them, which is no faster (measured,
 * docs/adr/0050-rebuilds-in-large-batches.md). V8 reads both settings each time that it decides on the size of the heap, so they
 * can change while a process runs, and requests that the same process answers later have the usual ones.
 */
export function slowHeapGrowth(): Disposable {
  if (users++ === 0) {
    setFlagsFromString('--semi-space-growth-factor=1');
    setFlagsFromString('--heap-growing-percent=100');
  }
  return {
    [Symbol.dispose]() {
      if (--users > 0) return;
      setFlagsFromString('--semi-space-growth-factor=2');
      setFlagsFromString('--heap-growing-percent=0');
    },
  };
}
