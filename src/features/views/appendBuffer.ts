import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import { EventStoreUnavailable, type AppendRequest, type EventStore } from '../../core/eventStore.ts';

/** Appends in the background: gathers requests for a moment, and keeps them while the event store is not available. */
export interface AppendBuffer {
  /** Never throws. The request may be sent more than once, so its event ids must make a repeat harmless. */
  add(request: AppendRequest): void;
  /** Appends what is left, for five seconds at most. */
  close(): Promise<void>;
}

export interface AppendBufferOptions {
  readonly store: Pick<EventStore, 'appendMany'>;
  readonly logger: Logger;
  /** How many requests are kept while the store is not available. Beyond that the oldest are dropped. */
  readonly mostHeld: number;
}

const CADENCE_MS = 20;
const RETRY_MS = 500;
const MOST_AT_ONCE = 1_000;
const CLOSE_WITHIN_MS = 5_000;

export function createAppendBuffer({ store, logger, mostHeld }: AppendBufferOptions): AppendBuffer {
  const closing = new AbortController();
  let closeBy = Infinity;
  let held: AppendRequest[] = [];
  let givenUp = 0;
  let working: Promise<void> | undefined;

  // Not `coalesced`: a run lasts until nothing is held, and waits between its appends.
  async function work(): Promise<void> {
    let wait = CADENCE_MS;
    while (held.length > 0 && performance.now() < closeBy) {
      await pause(wait, closing.signal);
      wait = (await appendSome()) ? CADENCE_MS : RETRY_MS;
      if (closing.signal.aborted && wait === RETRY_MS) await pause(CADENCE_MS);
    }
    working = undefined;
    if (givenUp + held.length > 0)
      logger.error({ views: givenUp + held.length }, 'views were lost: the event store was not available for too long');
    givenUp = 0;
  }

  /** Returns whether the store has recorded them all. Requests that it may have missed are kept. */
  async function appendSome(): Promise<boolean> {
    const batch = held.splice(0, MOST_AT_ONCE);
    const results = await store
      .appendMany(batch)
      .catch((reason: unknown) => batch.map(() => ({ status: 'rejected' as const, reason })));
    const missed = batch.filter((_, index) => {
      const result = results[index]!;
      if (result.status === 'fulfilled' || result.reason instanceof EventStoreUnavailable)
        return result.status === 'rejected';
      logger.error({ err: result.reason as unknown }, 'a view could not be recorded');
      return false;
    });
    held = [...missed, ...held];
    keepNewest();
    return missed.length === 0;
  }

  function keepNewest(): void {
    if (held.length > mostHeld) givenUp += held.splice(0, held.length - mostHeld).length;
  }

  return {
    add(request) {
      held.push(request);
      keepNewest();
      working ??= work();
    },
    async close() {
      closeBy = performance.now() + CLOSE_WITHIN_MS;
      closing.abort();
      await working;
    },
  };
}
