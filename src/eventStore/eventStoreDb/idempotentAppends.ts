import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import type { NewEvent } from '../../core/event.ts';
import {
  RevisionConflict,
  type AppendRequest,
  type AppendResult,
  type ExpectedRevision,
} from '../../core/eventStore.ts';
import { isTransient, kindOf, refusalIn } from './errors.ts';
import { createLooks, placeIn, type Find, type Looks } from './looks.ts';
import { retried } from './retry.ts';
import type { Send } from './sender.ts';
import { prepareAppend } from '../preparedAppend.ts';

/** Milliseconds. An id this young has not been tried before: all tries of one append take longer (`backOff`). */
const FRESH_MS = 500;
/** Appends of one `appendMany` that are under way at a time. */
const AT_ONCE = 64;

/**
 * Milliseconds that a conflict is looked into while the stream is at the expected revision for its readers: the server
 * compares with what it has written, and shows only what it has indexed. By then it has given up on its own writers too
 * (`CommitTimeoutMs` in ClusterVNodeOptions.cs).
 */
const LONGEST_INDEX_LAG_MS = 2_000;
const LOOK_AGAIN_MS = 50;

export interface Appender {
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  appendMany(requests: readonly AppendRequest[]): Promise<PromiseSettledResult<AppendResult>[]>;
}

export function createAppender(send: Send, find: Find, log: Logger | undefined): Appender {
  let failures = 0;

  function looksFor(stream: string, appends: readonly (readonly NewEvent[])[]): Looks {
    const ids = appends.map((events) => events.map(({ id }) => id.toLowerCase()));
    return createLooks({ stream, find, appends: ids, failures: () => failures });
  }

  async function append({ stream, events, expected }: AppendRequest, looks: Looks): Promise<AppendResult> {
    const { ids } = prepareAppend(stream, events, expected);
    // With `none` the server itself looks whether the stream begins with these events, however long ago that was.
    let uncertain = expected !== 'none' && !ids.every(isFresh);
    return retried(`an append to ${kindOf(stream)}`, async (attempt) => {
      if (uncertain) {
        const place = await looks.placeOf(ids);
        if (place !== undefined) return place;
      }
      try {
        const outcome = await send(stream, events, expected);
        if (outcome !== 'look') {
          looks.wrote(ids);
          return outcome;
        }
      } catch (error) {
        // The server recognises a repeat at an expected revision, but with `any` only until it restarts.
        if (isTransient(error))
          log?.warn({ err: error, attempt }, 'an append to EventStoreDB failed; its outcome is open');
        failures++;
        uncertain ||= expected === 'any';
        throw refusalIn(error, stream) ?? error;
      }
      return afterConflict(stream, ids, expected);
    });
  }

  /** Where the events lie, if the conflict is with themselves. @throws RevisionConflict when it is not. */
  async function afterConflict(
    stream: string,
    ids: readonly string[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    for (const begun = performance.now(); ; await pause(LOOK_AGAIN_MS)) {
      const look = await find(stream, ids, ids.length);
      const place = placeIn(look, ids, stream);
      if (place !== undefined) return place;
      const behind = expected === 'any' || look.last === (expected === 'none' ? undefined : expected);
      if (!behind || performance.now() - begun > LONGEST_INDEX_LAG_MS)
        throw new RevisionConflict(stream, expected, look.last);
    }
  }

  /** Requests for one stream keep their order and share looks; streams wait for each other only when there are very many. */
  async function appendMany(requests: readonly AppendRequest[]): Promise<PromiseSettledResult<AppendResult>[]> {
    const results = new Array<PromiseSettledResult<AppendResult>>(requests.length);
    const streams = Map.groupBy(requests.keys(), (index) => requests[index]!.stream).entries();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const [stream, indexes] of streams) {
          const looks = looksFor(
            stream,
            indexes.map((index) => requests[index]!.events),
          );
          for (const index of indexes) {
            [results[index]] = (await Promise.allSettled([append(requests[index]!, looks)])) as [
              PromiseSettledResult<AppendResult>,
            ];
          }
        }
      }),
    );
    return results;
  }

  return {
    append: async (stream, events, expected) => append({ stream, events, expected }, looksFor(stream, [events])),
    appendMany,
  };
}

/** Version 7 ids carry the time at which they were made (RFC 9562). Any other may be derived, and so a repeat. */
function isFresh(id: string): boolean {
  if (id[14] !== '7') return false;
  const made = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Math.abs(Date.now() - made) < FRESH_MS;
}
