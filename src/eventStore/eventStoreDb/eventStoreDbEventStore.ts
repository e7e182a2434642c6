import type { Logger } from 'pino';
import { createFailureLog } from '../../telemetry/failureLog.ts';
import type {
  AppendResult,
  EventBatch,
  EventStore,
  ReadAllOptions,
  ReadStreamOptions,
  SubscribeOptions,
} from '../../core/eventStore.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { createAppender } from './appender.ts';
import { connectEventStoreDb } from './connection.ts';
import { createFind } from './find.ts';
import { PAGE_SIZE, readPages } from './pages.ts';
import { createEventStoreDbReader } from './reader.ts';
import { createSend } from './sender.ts';
import { createLogTail } from './tail.ts';

export interface EventStoreDbStoreOptions {
  /** `esdb://[user:password@]host:port[,…]?tls=…` or `esdb+discover://…`, or the same with `kurrentdb`. */
  readonly url: string;
  readonly log?: Logger;
  /** After how long a try of an append counts as failed; 3 000 ms by default. `createPatience` says how many there are. */
  readonly appendTimeoutMs?: number;
  /** Silence after which a try of a read counts as failed; 5 000 ms by default. */
  readonly readTimeoutMs?: number;
  /** Silence of the live subscription after which the log's head is looked at; 1 000 ms by default. */
  readonly watchdogMs?: number;
}

/**
 * The event store on EventStoreDB or KurrentDB, 22.10 or newer.
 *
 * Positions are the server's commit positions. What the server keeps for itself (types that begin with `$`) and binary
 * events of others are not part of the log: `head` is the last event of ours, batches never say a position beyond it,
 * and a reader that has caught up has exactly that position.
 *
 * Appending again what is there: with `none`, recognised however long ago it was. With a revision or `any`, when it is
 * the same append repeated at the same revision, or while the server remembers the ids, or among the last 256 events of
 * the stream, where ids that are not brand-new (version 7, of this very half second) are looked for before they are
 * appended; `appendMany` looks once at each stream. An id that is in another stream is not noticed.
 * @throws when the URL is not a connection string.
 */
export function createEventStoreDbStore({
  url,
  log,
  appendTimeoutMs = 3_000,
  readTimeoutMs = 5_000,
  watchdogMs = 1_000,
}: EventStoreDbStoreOptions): EventStore {
  const closing = new AbortController();
  const connection = connectEventStoreDb(url);
  // A connection takes 100 calls at a time (Kestrel's `MaxStreamsPerConnection`): appends are not to wait behind reads.
  const writing = connectEventStoreDb(url);
  const appender = createAppender(createSend(writing, appendTimeoutMs), createFind(writing, appendTimeoutMs), log);
  const reader = createEventStoreDbReader(connection, readTimeoutMs);
  const tail = createLogTail({ connection, head: reader.head, watchdogMs, signal: closing.signal, log });
  const appending = new Set<Promise<unknown>>();

  /** Lets `close` wait for it. */
  async function underWay<T>(append: () => Promise<T>): Promise<T> {
    closing.signal.throwIfAborted();
    const promise = append();
    appending.add(promise);
    try {
      return await promise;
    } finally {
      appending.delete(promise);
    }
  }

  function untilClosed(callers: AbortSignal | undefined): AbortSignal {
    return callers === undefined ? closing.signal : AbortSignal.any([callers, closing.signal]);
  }

  async function* readAll({ after, until, ...options }: ReadAllOptions): AsyncGenerator<EventBatch> {
    const signal = untilClosed(options.signal);
    for (let position = after; ;) {
      signal.throwIfAborted();
      const head = await reader.head(signal);
      const end = until !== undefined && until < head ? until : head;
      if (end <= position) return;
      for await (const batch of readPages(connection, readTimeoutMs, {
        ...options,
        after: position,
        until: end,
        signal,
      })) {
        yield batch;
        position = batch.position;
      }
    }
  }

  async function* subscribe({
    after,
    types,
    batchSize = PAGE_SIZE,
    signal: callers,
  }: SubscribeOptions): AsyncGenerator<EventBatch> {
    const ending = untilClosed(callers);
    const signal = AbortSignal.any([ending, tail.refused]);
    const wanted = types && new Set(types);
    const failed = log && createFailureLog(log);
    for (let position = after; !ending.aborted;) {
      try {
        const until = await tail.beyond(position, signal);
        const live = tail.following(position, batchSize);
        if (live !== undefined) {
          position = live.at(-1)!.position;
          yield { events: wanted === undefined ? live : live.filter(({ type }) => wanted.has(type)), position };
          continue;
        }
        for await (const batch of readPages(connection, readTimeoutMs, {
          after: position,
          until,
          types,
          batchSize,
          signal,
        })) {
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
    append: (stream, events, expected): Promise<AppendResult> =>
      underWay(() => appender.append(stream, events, expected)),
    appendMany: (requests) => underWay(() => appender.appendMany(requests)),
    readStream: (stream: string, options: ReadStreamOptions = {}) =>
      reader.readStream(stream, { ...options, signal: untilClosed(options.signal) }),
    readAll,
    subscribe,
    head: () => reader.head(closing.signal),
    close: async () => {
      closing.abort(new EventStoreUnavailable('the event store is closed'));
      await Promise.allSettled(appending);
      await Promise.all([writing.close(), connection.close()]);
    },
  };
}
