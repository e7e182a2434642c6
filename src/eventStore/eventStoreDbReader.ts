import { BACKWARDS, END, StreamNotFoundError, type AllStreamResolvedEvent, type EventStoreDBClient, type ReadPosition, type ResolvedEvent } from '@eventstore/db-client';
import type { RecordedEvent } from '../core/event.ts';
import type { AppendResult, ReadStreamOptions } from './eventStore.ts';
import { ahead, type ClientStream } from './eventStoreDbBursts.ts';
import { readBursts } from './eventStoreDbCalls.ts';
import type { EventStoreDbConnection } from './eventStoreDbConnection.ts';
import { kindOf } from './eventStoreDbErrors.ts';
import { clientPosition, isOurs, positionOf, toRecorded } from './eventStoreDbEvents.ts';
import type { Find, Look } from './eventStoreDbLooks.ts';
import { createPatience, retried } from './eventStoreDbRetry.ts';

/** The last events of a stream that are searched for ids which may be there already. */
const SEARCHED_FOR_REPEATS = 256;
/** Events read ahead of the consumer of one stream. */
const STREAM_AHEAD = 500;
/** Of the whole log, backwards, in search of its last event that is ours: few at first, which nearly always do. */
const FIRST_LOOK = 16n;
const NEXT_LOOK = 4_096n;

export interface EventStoreDbReader {
  head(signal?: AbortSignal): Promise<bigint>;
  readStream(stream: string, options?: ReadStreamOptions): AsyncGenerator<RecordedEvent>;
  readonly find: Find;
}

export interface ReaderOptions {
  /** Silence after which a read counts as failed. */
  readonly timeoutMs: number;
  /** The same for what an append waits for. */
  readonly findTimeoutMs: number;
}

export function createEventStoreDbReader(connection: EventStoreDbConnection, { timeoutMs, findTimeoutMs }: ReaderOptions): EventStoreDbReader {
  /** Everything up to here has been looked through, and `head` was the last event of ours in it. */
  let known = { upTo: -1n, head: 0n };

  async function* items<Item>(what: string, read: (client: EventStoreDBClient) => ClientStream, signal?: AbortSignal, idleMs = timeoutMs): AsyncGenerator<Item> {
    for await (const burst of readBursts<Item>(connection, what, read, { most: STREAM_AHEAD, idleMs, signal })) yield* burst;
  }

  async function* readStream(stream: string, { from = 0, signal }: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    const what = `reading ${kindOf(stream)}`;
    const patience = createPatience(what, signal);
    for (let next = from; ; ) {
      try {
        signal?.throwIfAborted();
        const read = (client: EventStoreDBClient): ClientStream => client.readStream(stream, { fromRevision: BigInt(next), requiresLeader: true }, ahead(STREAM_AHEAD));
        for await (const { event } of items<ResolvedEvent>(what, read, signal)) {
          // Left out are links to events that have been deleted, which are nobody's.
          if (event === undefined) continue;
          next = Number(event.revision) + 1;
          patience.restore();
          yield toRecorded(event);
          signal?.throwIfAborted();
        }
        return;
      } catch (error) {
        if (error instanceof StreamNotFoundError) return;
        await patience.afterFailure(error);
      }
    }
  }

  async function find(stream: string, ids: readonly string[], longest: number): Promise<Look> {
    const wanted = new Set(ids);
    const places = new Map<string, AppendResult>();
    let last: number | undefined;
    // Not to end in the middle of what may be the events sought.
    const maxCount = SEARCHED_FOR_REPEATS + longest - 1;
    const read = (client: EventStoreDBClient): ClientStream => client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount, requiresLeader: true });
    try {
      for await (const { event } of items<ResolvedEvent>(`searching ${kindOf(stream)}`, read, undefined, findTimeoutMs)) {
        if (event === undefined) continue;
        const revision = Number(event.revision);
        last ??= revision;
        if (wanted.has(event.id)) places.set(event.id, { revision, position: positionOf(event) });
        if (places.size === wanted.size) break;
      }
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw error;
    }
    return { last, places };
  }

  async function head(signal?: AbortSignal): Promise<bigint> {
    const what = 'finding the end of the log';
    return retried(what, () => lookForHead(what, signal), signal);
  }

  async function lookForHead(what: string, signal: AbortSignal | undefined): Promise<bigint> {
    const before = known;
    let newest: bigint | undefined;
    for (let from: ReadPosition = END, count = FIRST_LOOK; ; count = NEXT_LOOK) {
      const [fromPosition, maxCount] = [from, count];
      const read = (client: EventStoreDBClient): ClientStream => client.readAll({ direction: BACKWARDS, fromPosition, maxCount, requiresLeader: true });
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

  return { head, readStream, find };
}
