import type pg from 'pg';
import type { Logger } from 'pino';
import { anySignal, pause } from '../../core/abortable.ts';
import type { EventMetadata, NewEvent } from '../../core/event.ts';
import {
  EventStoreUnavailable,
  type AppendResult,
  type EventBatch,
  type EventStore,
  type ExpectedRevision,
  type SubscribeOptions,
} from '../../core/eventStore.ts';
import { createSharedConnection } from '../../postgres/sharedConnection.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import { noTracing, type Tracing } from '../../telemetry/tracing.ts';
import { createHeadWatch } from '../headWatch.ts';
import { prepareAppend, type PreparedAppend } from '../preparedAppend.ts';
import { readToHead } from '../readToHead.ts';
import { createGroupCommit } from './groupCommit.ts';
import { createHeadNotifications } from './headNotifications.ts';
import { createPostgresReader } from './reader.ts';
import { createRecentAppends } from './recentAppends.ts';
import { writeBatch, type Written } from './writeBatch.ts';

const RESUBSCRIBE_AFTER_MS = 200;

export interface PostgresEventStoreOptions {
  /**
   * The caller's. Appends use one connection of it, all subscriptions together one more, and each one more while it
   * reads.
   */
  readonly pool: pg.Pool;
  readonly logger?: Logger;
  readonly tracing?: Tracing;
  /** Milliseconds between the polls that find events whose notification was lost; 1 000 by default. */
  readonly pollMs?: number;
  /**
   * Milliseconds after which an append that PostgreSQL did not take fails as `EventStoreUnavailable`; 5 000 by default.
   */
  readonly giveUpAfterMs?: number;
  /** Milliseconds after which a read fails; 30 000 by default. */
  readonly readTimeoutMs?: number;
  /** Events that may wait to be appended. Callers with more are held back; 20 000 by default. */
  readonly mostWaiting?: number;
  /** Told of each batch how many events it added to the log. Must not throw. */
  readonly onBatch?: ((events: number) => void) | undefined;
}

/** The event store on tables of PostgreSQL ≥ 14 (`migrations/0001_event_log.ts`), shared by any number of processes. */
export function createPostgresEventStore({
  pool,
  logger,
  tracing = noTracing,
  pollMs = 1_000,
  giveUpAfterMs = 5_000,
  readTimeoutMs = 30_000,
  mostWaiting = 20_000,
  onBatch,
}: PostgresEventStoreOptions): EventStore {
  const closing = new AbortController();
  const watch = createHeadWatch();
  const recent = createRecentAppends();
  let subscriptions = 0;
  const reader = createPostgresReader(pool, readTimeoutMs);
  const notifications = createHeadNotifications({ pool, watch, readHead: reader.head, pollMs, logger });
  const connection = createSharedConnection(pool);
  const groupCommit = createGroupCommit({
    write: (requests) =>
      tracing.continued(
        'append batch',
        { kind: 'internal', attributes: { 'reelstream.appends': requests.length } },
        () => requests.map(({ metadata: [first = '{}'] }) => (JSON.parse(first) as EventMetadata).traceparent),
        () => writeBatch(connection, requests, giveUpAfterMs),
      ),
    onAppended: (position, requests, written) => {
      onBatch?.(eventsIn(requests, written));
      if (subscriptions > 0) recent.add(requests, written);
      watch.saw(position);
      notifications.announce();
    },
    mostWaiting,
    giveUpAfterMs,
    logger,
  });

  async function append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    return groupCommit.append(prepareAppend(stream, events, expected));
  }

  async function* subscribe(options: SubscribeOptions): AsyncGenerator<EventBatch> {
    subscriptions++;
    try {
      yield* follow(options);
    } finally {
      subscriptions--;
    }
  }

  async function* follow({ after, signal: callers, ...options }: SubscribeOptions): AsyncGenerator<EventBatch> {
    const signal = anySignal(closing.signal, callers);
    const failed = logger && createFailureLog(logger);
    notifications.listen();
    for (let position = after; !signal.aborted;) {
      try {
        const until = await watch.beyond(position, signal);
        const kept = recent.next(position, { ...options, most: options.batchSize });
        if (kept !== undefined) {
          ({ position } = kept);
          yield kept;
          continue;
        }
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
    readAll: (options) => readToHead(reader, options),
    subscribe,
    appendsUnderWay: groupCommit.underWay,
    head: reader.head,
    positionBefore: reader.positionBefore,
    logId: reader.logId,
    close: async () => {
      closing.abort();
      await groupCommit.close();
      await notifications.close();
    },
  };
}

/** How many events a batch has added to the log. */
function eventsIn(requests: readonly PreparedAppend[], { outcomes }: Written): number {
  return requests.reduce((sum, { ids }, index) => {
    const outcome = outcomes[index]!;
    return outcome instanceof Error || outcome.repeated ? sum : sum + ids.length;
  }, 0);
}
