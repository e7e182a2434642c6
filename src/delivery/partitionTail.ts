import { abortable } from '../core/abortable.ts';
import type { RecordedEvent } from '../core/event.ts';
import { createWakeUp } from '../core/wakeUp.ts';
import type { PartitionReader } from './eventSource.ts';
import type { StorePages } from './storePages.ts';
import { createTailWindow } from './tailWindow.ts';

/** Events kept in memory for all partitions together: about 10 MB at 2 kB each. */
const MOST_EVENTS = 5_000;
/** Events kept in memory for one partition, at least. */
const FEWEST_EVENTS = 2_000;

/**
 * One partition and its readers. They get the newest events from memory and older ones from the store. A slow reader
 * falls out of the window in memory and reads the store by itself, so it never slows the others down.
 */
export interface PartitionTail {
  /** As `TailWindow.startAt`. */
  startAt(position: bigint): void;
  /** As `TailWindow.push`. */
  push(previous: bigint, position: bigint, events: readonly RecordedEvent[]): void;
  /** Position of the end of the window; undefined while it has none. */
  readonly end: bigint | undefined;
  open(): PartitionReader;
  /** The position up to which all open readers are done; undefined when none is open. */
  readonly done: bigint | undefined;
  /** Number of events in memory that no reader is done with yet. */
  readonly waiting: number;
  /** Empties the window: another process reads the partition now. It may come back. */
  forget(): void;
  /** Resolves when a reader next reports that it is done with more, or closes. */
  progress(): Promise<void>;
}

/** Events kept in memory for one partition of so many. */
export function mostEventsOf(partitions: number): number {
  return Math.max(FEWEST_EVENTS, Math.ceil(MOST_EVENTS / partitions));
}

export function createPartitionTail(partition: number, partitions: number, pages: StorePages): PartitionTail {
  const window = createTailWindow(mostEventsOf(partitions));
  const readers = new Map<PartitionReader, bigint>();
  const grown = createWakeUp();
  const moved = createWakeUp();

  function open(): PartitionReader {
    const reader: PartitionReader = {
      async next(after, signal) {
        readers.set(reader, after);
        moved.wake();
        for (;;) {
          signal.throwIfAborted();
          const found = window.take(after);
          if (found === undefined) await grown.next(signal);
          else if (found === 'older') return abortable(pages.read(partition, partitions, after, window.start!), signal);
          else return found;
        }
      },
      close() {
        readers.delete(reader);
        moved.wake();
      },
    };
    readers.set(reader, 0n);
    return reader;
  }

  return {
    startAt(position) {
      window.startAt(position);
      grown.wake();
    },
    push(previous, position, events) {
      window.push(previous, position, events);
      grown.wake();
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
    progress: () => moved.next(),
  };
}

function extreme(values: Iterable<bigint>, better: (a: bigint, b: bigint) => boolean): bigint | undefined {
  let best: bigint | undefined;
  for (const value of values) if (best === undefined || better(value, best)) best = value;
  return best;
}
