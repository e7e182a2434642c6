import {
  BACKWARDS,
  END,
  StreamNotFoundError,
  type EventStoreDBClient,
  type ResolvedEvent,
} from '@eventstore/db-client';
import type { AppendResult } from '../../core/eventStore.ts';
import { categoryOf } from './clientErrors.ts';
import { hashIn, positionOf } from './clientEvents.ts';
import type { ClientStream } from './clientStream.ts';
import type { EventStoreDbConnection } from './connection.ts';
import type { FindEvents } from './repeatSearch.ts';
import { NO_STREAM_YET, type StreamEnd, type StreamEnds } from './streamEnds.ts';
import { trackedRead } from './trackedCalls.ts';

/** How many of a stream's last events are searched for ids that may be there already. */
const SEARCHED_FOR_REPEATS = 256;

/** `timeoutMs`: silence after which a search fails. A search is not tried again. Each reports to `ends` what it saw. */
export function createFindEvents(
  connection: EventStoreDbConnection,
  timeoutMs: number,
  ends: Pick<StreamEnds, 'saw'>,
): FindEvents {
  return async (stream, ids, longest) => {
    const wanted = new Set(ids);
    const places = new Map<string, AppendResult>();
    let end: StreamEnd | undefined;
    // Longer by one append, so that the search does not end in the middle of the events it looks for.
    const maxCount = SEARCHED_FOR_REPEATS + longest - 1;
    const read = (client: EventStoreDBClient): ClientStream =>
      client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount, requiresLeader: true });
    try {
      search: for await (const chunk of trackedRead<ResolvedEvent>(
        connection,
        `searching ${categoryOf(stream)}`,
        read,
        { most: maxCount, idleMs: timeoutMs },
      )) {
        for (const { event } of chunk) {
          if (event === undefined) continue;
          const revision = Number(event.revision);
          end ??= { revision, hash: hashIn(event) };
          if (wanted.has(event.id)) places.set(event.id, { revision, position: positionOf(event) });
          if (places.size === wanted.size) break search;
        }
      }
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw error;
    }
    ends.saw(stream, end ?? NO_STREAM_YET);
    return { last: end?.revision, places };
  };
}
