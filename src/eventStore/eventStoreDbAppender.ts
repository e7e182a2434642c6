import type { Logger } from 'pino';
import type { NewEvent } from '../core/event.ts';
import { AppendRefused, RevisionConflict, type AppendRequest, type AppendResult, type ExpectedRevision } from './eventStore.ts';
import { isTransient, kindOf } from './eventStoreDbErrors.ts';
import { retried } from './eventStoreDbRetry.ts';
import type { Sender } from './eventStoreDbSender.ts';
import { prepareAppend } from './preparedAppend.ts';

/** The last events of a stream that are searched for ids which may be there already. */
export const SEARCHED_FOR_REPEATS = 256;
/** Milliseconds. An id this young has not been tried before: all tries of one append take longer (`backOff`). */
const FRESH_MS = 500;
/** Appends of one `appendMany` that are under way at a time. */
const AT_ONCE = 64;

export interface Found {
  /** The stream's last revision; undefined when it does not exist. */
  readonly last: number | undefined;
  /** Where the events lie, if they do; `'partly'` when only some do, or in another order. */
  readonly events: AppendResult | 'partly' | undefined;
}

export interface Appender {
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  appendMany(requests: readonly AppendRequest[]): Promise<PromiseSettledResult<AppendResult>[]>;
}

/** `find` looks for event ids among the last events of a stream. */
export function createAppender(sender: Sender, find: (stream: string, ids: readonly string[]) => Promise<Found>, log: Logger | undefined): Appender {
  async function append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    const { ids } = prepareAppend(stream, events, expected);
    // With `none` the server itself looks whether the stream begins with these events, however long ago that was.
    let uncertain = expected !== 'none' && !ids.every(isFresh);
    return retried(`an append to ${kindOf(stream)}`, async (attempt) => {
      if (uncertain) {
        const found = placeOf(await find(stream, ids), stream);
        if (found !== undefined) return found;
      }
      try {
        const outcome = await sender.send(stream, events, expected);
        if (outcome !== 'look') return outcome;
      } catch (error) {
        // The server recognises a repeat at an expected revision, but with `any` only until it restarts.
        if (isTransient(error)) log?.warn({ err: error, attempt }, 'an append to EventStoreDB failed; its outcome is open');
        uncertain ||= expected === 'any';
        throw error;
      }
      const found = await find(stream, ids);
      const place = placeOf(found, stream);
      if (place !== undefined) return place;
      throw new RevisionConflict(stream, expected, found.last);
    });
  }

  /** Requests for one stream keep their order; streams wait for each other only when there are very many. */
  async function appendMany(requests: readonly AppendRequest[]): Promise<PromiseSettledResult<AppendResult>[]> {
    const results = new Array<PromiseSettledResult<AppendResult>>(requests.length);
    const streams = Map.groupBy(requests.keys(), (index) => requests[index]!.stream).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const indexes of streams) {
          for (const index of indexes) {
            const { stream, events, expected } = requests[index]!;
            [results[index]] = (await Promise.allSettled([append(stream, events, expected)])) as [PromiseSettledResult<AppendResult>];
          }
        }
      }),
    );
    return results;
  }

  return { append, appendMany };
}

function placeOf({ events }: Found, stream: string): AppendResult | undefined {
  if (events !== 'partly') return events;
  throw new AppendRefused(`events for ${stream} have ids that are in it already, but not all of them in this order`);
}

/** Version 7 ids carry the time at which they were made (RFC 9562). Any other may be derived, and so a repeat. */
function isFresh(id: string): boolean {
  if (id[14] !== '7') return false;
  const made = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Math.abs(Date.now() - made) < FRESH_MS;
}
