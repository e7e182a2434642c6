import {
  BACKWARDS,
  END,
  StreamNotFoundError,
  type AllStreamResolvedEvent,
  type EventStoreDBClient,
  type ReadPosition,
  type ResolvedEvent,
} from '@eventstore/db-client';
import type { RecordedEvent } from '../../core/event.ts';
import type { ReadStreamOptions } from '../../core/eventStore.ts';
import { ahead, type ClientStream } from './bursts.ts';
import { readBursts } from './calls.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { kindOf } from './errors.ts';
import { clientPosition, isOurs, positionOf, toRecorded } from './events.ts';
import { createPatience, retried } from './retry.ts';

/** Events read ahead of the consumer of one stream. */
const STREAM_AHEAD = 500;
/** Of the whole log, backwards, in search of its last event that is ours: few at first, which nearly always do. */
const FIRST_LOOK = 16n;
const NEXT_LOOK = 4_096n;

export interface EventStoreDbReader {
  head(signal?: AbortSignal): Promise<bigint>;
  readStream(stream: string, options?: ReadStreamOptions): AsyncGenerator<RecordedEvent>;
}

/** `timeoutMs`: silence after which a read counts as failed. */
export function createEventStoreDbReader(connection: EventStoreDbConnection, timeoutMs: number): EventStoreDbReader {
  /** Everything up to here has been looked through, and `head` was the last event of ours in it. */
  let known = { upTo: -1n, head: 0n };

  async function* items<Item>(
    what: string,
    read: (client: EventStoreDBClient) => ClientStream,
    signal?: AbortSignal,
  ): AsyncGenerator<Item> {
    for await (const burst of readBursts<Item>(connection, what, read, {
      most: STREAM_AHEAD,
      idleMs: timeoutMs,
      signal,
    }))
      yield* burst;
  }

  async function* readStream(
    stream: string,
    { from = 0, signal }: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent> {
    const what = `reading ${kindOf(stream)}`;
    const patience = createPatience(what, signal);
    for (let next = from; ;) {
      try {
        signal?.throwIfAborted();
        // A call that gives no more than is held ready here ends on the server, however slow the consumer is.
        const options = { fromRevision: BigInt(next), maxCount: STREAM_AHEAD, requiresLeader: true };
        const read = (client: EventStoreDBClient): ClientStream =>
          client.readStream(stream, options, ahead(STREAM_AHEAD));
        let left = STREAM_AHEAD;
        for await (const { event, link } of items<ResolvedEvent>(what, read, signal)) {
          left--;
          next = Number((link ?? event)!.revision) + 1;
          patience.restore();
          // Left out are links to events that have been deleted, which are nobody's.
          if (event === undefined) continue;
          yield toRecorded(event);
          signal?.throwIfAborted();
        }
        if (left > 0) return;
      } catch (error) {
        if (error instanceof StreamNotFoundError) return;
        await patience.afterFailure(error);
      }
    }
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

  return { head, readStream };
}
