import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import type { EventSource } from '../eventSource.ts';
import { createPartitionTail, mostEventsOf } from '../partitionTail.ts';
import { createStorePages } from '../storePages.ts';

const RETRY_AFTER_MS = 500;
/** A batch of this size fills the window of the tail by itself. */
const BATCH_SIZE = mostEventsOf(1);

export interface DirectSourceOptions {
  /** Gives encoded events; each consumer decodes its own. */
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'subscribe' | 'appendsUnderWay'>;
  readonly logger: Logger;
}

/**
 * Events directly from the store: one subscription for all consumers of the process, and one partition with all events.
 */
export function createDirectSource({ store, logger }: DirectSourceOptions): EventSource {
  const closing = new AbortController();
  const { signal } = closing;
  const tail = createPartitionTail(0, 1, createStorePages(store));
  const failed = createFailureLog(logger);
  const following = follow();

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        if (tail.end === undefined) tail.startAt(await store.head());
        if ((await followFrom(tail.end!)) === 'farBehind') {
          tail.startAt(await store.head());
          continue;
        }
      } catch (error) {
        if (!signal.aborted)
          failed(error, 'the subscription on the event store broke; a new one begins where it ended');
      }
      await pause(RETRY_AFTER_MS, signal);
    }
  }

  /**
   * Follows the log until it has grown by more than the window holds. Reading on would push out of the window what no reader has had yet, so
   * the readers read it from the store, each at its own pace.
   */
  async function followFrom(start: bigint): Promise<'farBehind' | 'ended'> {
    let after = start;
    for await (const { events, position } of store.subscribe({ after, batchSize: BATCH_SIZE, signal })) {
      tail.push(after, position, events);
      after = position;
      if (events.length >= BATCH_SIZE && (await store.head()) > position) return 'farBehind';
    }
    return 'ended';
  }

  return {
    async *assignments(until) {
      yield { partitions: 1, mine: [0] };
      await aborted(until);
    },
    open: () => tail.open(),
    ...(store.appendsUnderWay !== undefined && { moreToCome: () => store.appendsUnderWay!() }),
    async close() {
      closing.abort();
      await following;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
