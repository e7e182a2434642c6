import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import type { NewEvent } from '../../core/event.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import {
  EventStoreUnavailable,
  type AppendResult,
  type EventBatch,
  type EventStore,
  type ExpectedRevision,
  type ReadAllOptions,
  type SubscribeOptions,
} from '../../core/eventStore.ts';
import { createHeadWatch } from '../headWatch.ts';
import { createAppender } from './appender.ts';
import { writeBatch } from './batch.ts';
import { createHeadNews } from './headNotifications.ts';
import { createPostgresReader } from './reading.ts';
import { prepareAppend } from '../preparedAppend.ts';

const RESUBSCRIBE_AFTER_MS = 200;

export interface PostgresEventStoreOptions {
  /** Belongs to the caller. Appends use one connection of it, subscriptions together one more, and one each while they read. */
  readonly pool: pg.Pool;
  readonly log?: Logger;
  /** How often subscriptions look for what no notification told them; 1 000 ms by default. */
  readonly pollMs?: number;
  /** After how long an append that PostgreSQL does not take fails as `EventStoreUnavailable`; 5 000 ms by default. */
  readonly giveUpAfterMs?: number;
  /** After how long a read counts as failed; 30 000 ms by default. */
  readonly readTimeoutMs?: number;
  /** Events that wait to be appended, beyond which callers are held back; 20 000 by default. */
  readonly mostWaiting?: number;
}

/** The event store on tables of PostgreSQL ≥ 14 (`migrations/0001_event_log.ts`), shared by any number of processes. */
export function createPostgresEventStore({
  pool,
  log,
  pollMs = 1_000,
  giveUpAfterMs = 5_000,
  readTimeoutMs = 30_000,
  mostWaiting = 20_000,
}: PostgresEventStoreOptions): EventStore {
  const closing = new AbortController();
  const watch = createHeadWatch();
  const reader = createPostgresReader(pool, readTimeoutMs);
  const news = createHeadNews({ pool, watch, readHead: reader.head, pollMs, log });
  const appender = createAppender({
    write: (requests) => writeBatch(pool, requests, giveUpAfterMs),
    onAppended: (position) => {
      watch.saw(position);
      news.announce();
    },
    mostWaiting,
    giveUpAfterMs,
    log,
  });

  async function append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    return appender.append(prepareAppend(stream, events, expected));
  }

  async function* readAll({ after, until, ...options }: ReadAllOptions): AsyncGenerator<EventBatch> {
    for (let position = after; ;) {
      options.signal?.throwIfAborted();
      const head = await reader.head();
      const end = until !== undefined && until < head ? until : head;
      if (end <= position) return;
      for await (const batch of reader.pages({ ...options, after: position, until: end })) {
        yield batch;
        position = batch.position;
      }
    }
  }

  async function* subscribe({ after, signal: callers, ...options }: SubscribeOptions): AsyncGenerator<EventBatch> {
    const signal = callers === undefined ? closing.signal : AbortSignal.any([callers, closing.signal]);
    const failed = log && createFailureLog(log);
    news.listen();
    for (let position = after; !signal.aborted;) {
      try {
        const until = await watch.beyond(position, signal);
        for await (const batch of reader.pages({ ...options, after: position, until, signal })) {
          position = batch.position;
          yield batch;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof EventStoreUnavailable)) throw error;
        failed?.(error, 'a subscription lost the event log; it goes on from where it was');
        await pause(RESUBSCRIBE_AFTER_MS, signal);
      }
    }
  }

  return {
    append,
    appendMany: (requests) =>
      Promise.allSettled(requests.map(({ stream, events, expected }) => append(stream, events, expected))),
    readStream: reader.readStream,
    readAll,
    subscribe,
    head: reader.head,
    close: async () => {
      closing.abort();
      await appender.close();
      await news.close();
    },
  };
}
