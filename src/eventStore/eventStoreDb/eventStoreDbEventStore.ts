import type { Logger } from 'pino';
import { createMembers } from '../../core/members.ts';
import { anySignal } from '../../core/abortable.ts';
import {
  EventStoreUnavailable,
  type EventBatch,
  type EventStore,
  type SubscribeOptions,
} from '../../core/eventStore.ts';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import { readToHead } from '../readToHead.ts';
import { createAppendOnce } from './appendOnce.ts';
import { connectEventStoreDb } from './connection.ts';
import { createFindEvents } from './findEvents.ts';
import { createIdempotentAppends, FRESH_MS } from './idempotentAppends.ts';
import { PAGE_SIZE } from './logPages.ts';
import { createLogTail } from './logTail.ts';
import { createEventStoreDbReader } from './reader.ts';
import { createStreamEnds } from './streamEnds.ts';

const APPEND_TIMEOUT_MS = 3_000;
const READ_TIMEOUT_MS = 5_000;
/** A cluster elects a leader within a few seconds. */
const RETRY_FOR_MS = 5_000;
const WATCHDOG_MS = 1_000;

export interface EventStoreDbStoreOptions {
  /** `esdb://[user:password@]host:port[,…]?tls=…` or `esdb+discover://…`, or the same with `kurrentdb`. */
  readonly url: string;
  readonly logger?: Logger;
  /** Milliseconds after which one try of an append fails; 3 000 by default. */
  readonly appendTimeoutMs?: number;
  /** Milliseconds of silence after which one try of a read fails; 5 000 by default. */
  readonly readTimeoutMs?: number;
  /**
   * Milliseconds after the first failure in which appends and reads are tried again, and three times at least, before
   * they fail as `EventStoreUnavailable`; 5 000 by default, more than 500.
   */
  readonly retryForMs?: number;
  /** Milliseconds of silence of the live subscription after which the log's head is read; 1 000 by default. */
  readonly watchdogMs?: number;
  /** Told of each call how many events it appends. Must not throw. */
  readonly onBatch?: ((events: number) => void) | undefined;
}

/**
 * The event store on EventStoreDB or KurrentDB, 22.10 or newer.
 *
 * Positions are the server's commit positions. The server's own events (types that begin with `$`) and binary events of
 * others are not part of the log: `head` is the last event of ours, no batch reports a position beyond it, and a reader
 * that has caught up is at exactly that position.
 *
 * Which repeated appends are recognised: with `none`, all. With a revision or `any`: the same append at the same
 * revision; ids that the server remembers; and ids among the last 256 events of the stream, which are searched before
 * an append unless its ids are brand-new (version 7, less than half a second old). `appendMany` searches each stream
 * once. An id that is in another stream is not noticed.
 * @throws when the URL is not a connection string.
 */
export function createEventStoreDbStore({
  url,
  logger,
  appendTimeoutMs = APPEND_TIMEOUT_MS,
  readTimeoutMs = READ_TIMEOUT_MS,
  retryForMs = RETRY_FOR_MS,
  watchdogMs = WATCHDOG_MS,
  onBatch,
}: EventStoreDbStoreOptions): EventStore {
  if (retryForMs <= FRESH_MS) throw new RangeError(`retryForMs is ${retryForMs}; it must be more than ${FRESH_MS}`);
  const closing = new AbortController();
  const reading = connectEventStoreDb(url);
  // A connection takes 100 calls at a time (Kestrel's `MaxStreamsPerConnection`). Appends must not wait behind reads.
  const writing = connectEventStoreDb(url);
  const ends = createStreamEnds(writing, appendTimeoutMs);
  const appendOnce = createAppendOnce(writing, appendTimeoutMs);
  const appends = createIdempotentAppends({
    appendOnce: async (stream, events, expected) => {
      const appended = await appendOnce(stream, events, expected);
      if (appended !== 'unclear') onBatch?.(events.length);
      return appended;
    },
    findEvents: createFindEvents(writing, appendTimeoutMs, ends),
    ends,
    retryForMs,
    logger,
  });
  const reader = createEventStoreDbReader(reading, { timeoutMs: readTimeoutMs, retryForMs }, ends);
  const tail = createLogTail({ connection: reading, head: reader.head, watchdogMs, signal: closing.signal, logger });
  const underWay = createMembers<Promise<unknown>>();

  /** Makes `close` wait for an append. */
  async function untilDone<T>(append: () => Promise<T>): Promise<T> {
    closing.signal.throwIfAborted();
    const promise = append();
    const leave = underWay.add(promise);
    try {
      return await promise;
    } finally {
      leave();
    }
  }

  async function* subscribe({
    after,
    types,
    batchSize = PAGE_SIZE,
    signal: callers,
  }: SubscribeOptions): AsyncGenerator<EventBatch> {
    const ending = anySignal(closing.signal, callers);
    const wanted = types && new Set(types);
    const failed = logger && createFailureLog(logger);
    const signal = AbortSignal.any([ending, tail.refused]);
    for (let position = after; !ending.aborted;) {
      try {
        const until = await tail.beyond(position, signal);
        const live = tail.following(position, batchSize);
        if (live !== undefined) {
          position = live.at(-1)!.position;
          yield { events: wanted === undefined ? live : live.filter(({ type }) => wanted.has(type)), position };
          continue;
        }
        for await (const batch of reader.pages({ after: position, until, types, batchSize, signal })) {
          position = batch.position;
          yield batch;
          if (ending.aborted) return;
        }
      } catch (error) {
        if (ending.aborted) return;
        if (!(error instanceof EventStoreUnavailable)) throw error;
        failed?.(error, 'a subscription lost EventStoreDB; it goes on from where it was');
      }
    }
  }

  return {
    append: (...append) => untilDone(() => appends.append(...append)),
    appendMany: (requests) => untilDone(() => appends.appendMany(requests)),
    readStream: (stream, options) =>
      reader.readStream(stream, { ...options, signal: anySignal(closing.signal, options?.signal) }),
    readAll: (options) => readToHead(reader, { ...options, signal: anySignal(closing.signal, options.signal) }),
    subscribe,
    head: () => reader.head(closing.signal),
    positionBefore: (time) => reader.positionBefore(time, closing.signal),
    logId: () => reader.logId(closing.signal),
    close: async () => {
      closing.abort(new EventStoreUnavailable('the event store is closed'));
      await Promise.allSettled(underWay.all());
      await Promise.all([writing.close(), reading.close()]);
    },
  };
}
