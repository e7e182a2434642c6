import {
  BACKWARDS,
  END,
  StreamNotFoundError,
  type EventStoreDBClient,
  type ResolvedEvent,
} from '@eventstore/db-client';
import type { AppendResult } from '../../core/eventStore.ts';
import type { ClientStream } from './bursts.ts';
import { readBursts } from './calls.ts';
import type { EventStoreDbConnection } from './connection.ts';
import { kindOf } from './errors.ts';
import { positionOf } from './events.ts';
import type { Find } from './looks.ts';

/** The last events of a stream that are searched for ids which may be there already. */
const SEARCHED_FOR_REPEATS = 256;

/** `timeoutMs`: silence after which a search counts as failed. It is not tried again. */
export function createFind(connection: EventStoreDbConnection, timeoutMs: number): Find {
  return async (stream, ids, longest) => {
    const wanted = new Set(ids);
    const places = new Map<string, AppendResult>();
    let last: number | undefined;
    // Not to end in the middle of what may be the events sought.
    const maxCount = SEARCHED_FOR_REPEATS + longest - 1;
    const read = (client: EventStoreDBClient): ClientStream =>
      client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount, requiresLeader: true });
    try {
      search: for await (const burst of readBursts<ResolvedEvent>(connection, `searching ${kindOf(stream)}`, read, {
        most: maxCount,
        idleMs: timeoutMs,
      })) {
        for (const { event } of burst) {
          if (event === undefined) continue;
          const revision = Number(event.revision);
          last ??= revision;
          if (wanted.has(event.id)) places.set(event.id, { revision, position: positionOf(event) });
          if (places.size === wanted.size) break search;
        }
      }
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw error;
    }
    return { last, places };
  };
}
