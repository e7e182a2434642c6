import { abortable } from '../core/abortable.ts';
import type { RecordedEvent } from '../core/event.ts';
import type { PartitionReader } from './eventSource.ts';
import type { StorePages } from './storePages.ts';
import { createTailWindow } from './tailWindow.ts';

/** Events that are kept in memory, of all partitions together: about 20 MB at 1 kB each. */
const MOST_EVENTS = 20_000;
/** Of one partition at least. */
const FEWEST_EVENTS = 2_000;

/**
 * A partition as its readers see it: the newest part from memory, everything before that from the store. A slow
 * reader falls out of the window and reads the store by itself, so it never holds the others.
 */
export interface PartitionTail {
  startAt(position: bigint): void;
  push(previous: bigint, position: bigint, events: readonly RecordedEvent[]): void;
  readonly end: bigint | undefined;
  open(): PartitionReader;
  /** What all open readers are done with; undefined when none is open. */
  readonly done: bigint | undefined;
  /** Events in memory that not even the first of them is done with. */
  readonly waiting: number;
  /** Lets go of what is in memory: the partition is another process's now, and may come back. */
  forget(): void;
  /** Settles when a reader next says that it is done with more, or goes. */
  progress(): Promise<void>;
}

/** Of one of so many partitions. */
export function mostEventsOf(partitions: number): number {
  return Math.max(FEWEST_EVENTS, Math.ceil(MOST_EVENTS / partitions));
}

export function createPartitionTail(partition: number, partitions: number, pages: StorePages): PartitionTail {
  const window = createTailWindow(mostEventsOf(partitions));
  const readers = new Map<PartitionReader, bigint>();
  let grown = Promise.withResolvers<void>();
  let moved = Promise.withResolvers<void>();

  function grow(): void {
    grown.resolve();
    grown = Promise.withResolvers();
  }

  function move(): void {
    moved.resolve();
    moved = Promise.withResolvers();
  }

  function open(): PartitionReader {
    const reader: PartitionReader = {
      async next(after, signal) {
        readers.set(reader, after);
        move();
        for (;;) {
          signal.throwIfAborted();
          const found = window.take(after);
          if (found === undefined) await abortable(grown.promise, signal);
          else if (found === 'older') return abortable(pages.read(partition, partitions, after, window.start!), signal);
          else return found;
        }
      },
      close() {
        readers.delete(reader);
        move();
      },
    };
    readers.set(reader, 0n);
    return reader;
  }

  return {
    startAt(position) {
      window.startAt(position);
      grow();
    },
    push(previous, position, events) {
      window.push(previous, position, events);
      grow();
    },
    get end() {
      return window.end;
    },
    open,
    get done() {
      return extreme(readers.values(), (a, b) => a < b);
    },
    get waiting() {
      return window.countBeyond(extreme(readers.values(), (a, b) => a > b) ?? 0n);
    },
    forget: () => window.forget(),
    progress: () => moved.promise,
  };
}

function extreme(values: Iterable<bigint>, better: (a: bigint, b: bigint) => boolean): bigint | undefined {
  let best: bigint | undefined;
  for (const value of values) if (best === undefined || better(value, best)) best = value;
  return best;
}
