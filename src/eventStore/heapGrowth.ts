import { setFlagsFromString } from 'node:v8';

/** Events in a page. Who reads pages of this size reads many of them. */
const LARGE_PAGE = 1_000;
const AS_USUAL_AFTER_MS = 5_000;
/** Of what is alive (percent). The usual is also what `bin/reelstream.js` begins with. */
const GROWTH = { usual: 100, slow: 35 };

let slow: NodeJS.Timeout | undefined;

/**
 * To be told of each page that is read from the log. While pages are large, V8 collects its whole heap when it has grown by a third, instead
 * of to double: otherwise several hundred megabytes of events pile up. Requests that are answered meanwhile take longer. V8 reads the
 * setting each time that it decides on the size of the heap (docs/adr/0060-memory-and-start.md).
 */
export function pageWasRead({ length }: readonly unknown[]): void {
  if (length < LARGE_PAGE) return;
  if (slow !== undefined) return void slow.refresh();
  setGrowth(GROWTH.slow);
  slow = setTimeout(() => {
    slow = undefined;
    setGrowth(GROWTH.usual);
  }, AS_USUAL_AFTER_MS).unref();
}

function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
