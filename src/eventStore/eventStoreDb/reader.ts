import {
  BACKWARDS,
  END,
  START,
  StreamNotFoundError,
  type AllStreamResolvedEvent,
  type EventStoreDBClient,
  type ReadPosition,
  type ResolvedEvent,
} from '@eventstore/db-client';
import type { RecordedEvent } from '../../core/event.ts';
import type { ReadStreamOptions } from '../../core/eventStore.ts';
import type { LogReader } from '../readToHead.ts';
import { categoryOf } from './clientErrors.ts';
import { clientPosition, hashIn, isOurs, logIdFrom, positionOf, timeOf, toRecorded } from './clientEvents.ts';
import { buffering, type ClientStream } from './clientStream.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { readPages, type ReadTimes } from './logPages.ts';
import { createRetries, retried } from './retry.ts';
import type { StreamEnd, StreamEnds } from './streamEnds.ts';
import { trackedRead } from './trackedCalls.ts';

/** Events of one stream that a call asks for and buffers. */
const STREAM_PAGE_SIZE = 500;
/** Events read backwards to find the last one of our log. The first few are nearly always enough. */
const FIRST_SEARCH = 16n;
const NEXT_SEARCH = 4_096n;
/** Events read backwards to find the first one of a period: a second or two. The server has no index of times. */
const MOST_SEARCHED_FOR_TIME = 50_000;

export interface EventStoreDbReader extends LogReader {
  readStream(stream: string, options?: ReadStreamOptions): AsyncGenerator<RecordedEvent>;
  positionBefore(time: Date, signal?: AbortSignal): Promise<bigint>;
  logId(signal?: AbortSignal): Promise<string | null>;
}

/** What has been read of a stream is reported to `ends`. */
export function createEventStoreDbReader(
  connection: EventStoreDbConnection,
  times: ReadTimes,
  ends: Pick<StreamEnds, 'saw'>,
): EventStoreDbReader {
  const { timeoutMs, retryForMs } = times;
  /** The log has been searched up to `upTo`; `head` was its last event that is ours. */
  let known = { upTo: -1n, head: 0n };

  async function* items<Item>(
    what: string,
    read: (client: EventStoreDBClient) => ClientStream,
    signal?: AbortSignal,
  ): AsyncGenerator<Item> {
    for await (const chunk of trackedRead<Item>(connection, what, read, {
      most: STREAM_PAGE_SIZE,
      idleMs: timeoutMs,
      signal,
    }))
      yield* chunk;
  }

  async function* readStream(
    stream: string,
    { from = 0, hashes, signal }: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    const what = `reading ${categoryOf(stream)}`;
    const retries = createRetries({ what, retryForMs, signal });
    let end: StreamEnd | undefined;
    for (let next = from; ;) {
      try {
        signal?.throwIfAborted();
        // A call for no more events than are buffered here ends soon on the server, however slow the consumer is.
        const options = { fromRevision: BigInt(next), maxCount: STREAM_PAGE_SIZE, requiresLeader: true };
        const read = (client: EventStoreDBClient): ClientStream =>
          client.readStream(stream, options, buffering(STREAM_PAGE_SIZE));
        let left = STREAM_PAGE_SIZE;
        for await (const { event, link } of items<ResolvedEvent>(what, read, signal)) {
          left--;
          next = Number((link ?? event)!.revision) + 1;
          retries.reset();
          // A link to a deleted event has no event.
          if (event === undefined) continue;
          end = { revision: Number(event.revision), hash: hashIn(event) };
          yield toRecorded(event, hashes);
          signal?.throwIfAborted();
        }
        if (left > 0) {
          if (end !== undefined) ends.saw(stream, end);
          return;
        }
      } catch (error) {
        if (error instanceof StreamNotFoundError) return;
        await retries.afterFailure(error);
      }
    }
  }

  async function head(signal?: AbortSignal): Promise<bigint> {
    const what = 'finding the end of the log';
    return retried({ what, retryForMs, signal }, () => searchHead(what, signal));
  }

  async function searchHead(what: string, signal: AbortSignal | undefined): Promise<bigint> {
    const before = known;
    let newest: bigint | undefined;
    for (let from: ReadPosition = END, count = FIRST_SEARCH; ; count = NEXT_SEARCH) {
      const [fromPosition, maxCount] = [from, count];
      const read = (client: EventStoreDBClient): ClientStream =>
        client.readAll({ direction: BACKWARDS, fromPosition, maxCount, requiresLeader: true });
      let left = count;
      for await (const { event } of items<AllStreamResolvedEvent>(what, read, signal)) {
        left--;
        if (event === undefined) continue;
        const position = positionOf(event);
        newest ??= position;
        if (position <= before.upTo) return remember(newest, before.head);
        if (isOurs(event)) return remember(newest, position);
        from = clientPosition(position);
      }
      if (left > 0n) return remember(newest ?? 0n, before.head);
    }
  }

  function remember(upTo: bigint, found: bigint): bigint {
    if (upTo > known.upTo) known = { upTo, head: found };
    return found;
  }

  async function positionBefore(time: Date, signal?: AbortSignal): Promise<bigint> {
    const what = 'finding a time in the log';
    return retried({ what, retryForMs, signal }, async () => {
      let searched = 0;
      for (let from: ReadPosition = END; searched < MOST_SEARCHED_FOR_TIME;) {
        const fromPosition = from;
        const read = (client: EventStoreDBClient): ClientStream =>
          client.readAll({ direction: BACKWARDS, fromPosition, maxCount: NEXT_SEARCH, requiresLeader: true });
        const before = searched;
        for await (const { event } of items<AllStreamResolvedEvent>(what, read, signal)) {
          searched++;
          if (event === undefined) continue;
          if (isOurs(event) && timeOf(event) < time) return positionOf(event);
          from = clientPosition(positionOf(event));
        }
        if (searched - before < Number(NEXT_SEARCH)) return 0n;
      }
      return 0n;
    });
  }

  async function logId(signal?: AbortSignal): Promise<string | null> {
    const what = 'finding the beginning of the log';
    return retried({ what, retryForMs, signal }, async () => {
      for (let fromPosition: ReadPosition = START, last = -1n; ;) {
        const before = last;
        const read = (client: EventStoreDBClient): ClientStream =>
          client.readAll({ fromPosition, maxCount: NEXT_SEARCH, requiresLeader: true });
        for await (const { event } of items<AllStreamResolvedEvent>(what, read, signal)) {
          if (event === undefined) continue;
          if (isOurs(event)) return logIdFrom(event);
          last = positionOf(event);
        }
        if (last === before) return null;
        fromPosition = clientPosition(last);
      }
    });
  }

  return { head, positionBefore, logId, readStream, pages: (request) => readPages(connection, times, request) };
}
