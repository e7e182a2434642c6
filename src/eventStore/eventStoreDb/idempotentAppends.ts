import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import type { NewEvent } from '../../core/event.ts';
import {
  RevisionConflict,
  type AppendRequest,
  type AppendResult,
  type EventStore,
  type ExpectedRevision,
} from '../../core/eventStore.ts';
import { prepareAppend } from '../preparedAppend.ts';
import type { AppendOnce } from './appendOnce.ts';
import { categoryOf, isTransient, refusalIn } from './clientErrors.ts';
import { createRepeatSearch, placeIn, type FindEvents, type RepeatSearch } from './repeatSearch.ts';
import { retried } from './retry.ts';

/**
 * Milliseconds. An id this young has not been tried before: an append is tried for longer than this before it fails.
 */
export const FRESH_MS = 500;
/** Streams of one `appendMany` that are written to at the same time. */
const STREAMS_AT_ONCE = 64;

/**
 * Milliseconds for which a conflict is checked again while readers still see the stream at the expected revision. The
 * server compares with what it has written, but shows only what it has indexed. After this time the server has given up
 * its own writers too (`CommitTimeoutMs` in ClusterVNodeOptions.cs).
 */
const LONGEST_INDEX_LAG_MS = 2_000;
const CHECK_AGAIN_MS = 50;

export interface IdempotentAppendsOptions {
  readonly appendOnce: AppendOnce;
  readonly findEvents: FindEvents;
  /** For how long an append is tried again (`RetryOptions`); more than `FRESH_MS`. */
  readonly retryForMs: number;
  readonly logger?: Logger;
}

/** Appends that are tried again after a failure, and that recognise events which are in the stream already. */
export function createIdempotentAppends({
  appendOnce,
  findEvents,
  retryForMs,
  logger,
}: IdempotentAppendsOptions): Pick<EventStore, 'append' | 'appendMany'> {
  let failures = 0;

  function repeatSearchFor(stream: string, appends: readonly (readonly NewEvent[])[]): RepeatSearch {
    const ids = appends.map((events) => events.map(({ id }) => id.toLowerCase()));
    return createRepeatSearch({ stream, findEvents, appends: ids, failures: () => failures });
  }

  async function append({ stream, events, expected }: AppendRequest, repeats: RepeatSearch): Promise<AppendResult> {
    const { ids } = prepareAppend(stream, events, expected);
    // With `none` the server itself checks whether the stream begins with these events, however long ago that was.
    let mayBeRepeat = expected !== 'none' && !ids.every(isFresh);
    return retried({ what: `an append to ${categoryOf(stream)}`, retryForMs }, async (attempt) => {
      if (mayBeRepeat) {
        const place = await repeats.placeOf(ids);
        if (place !== undefined) return place;
      }
      try {
        const outcome = await appendOnce(stream, events, expected);
        if (outcome !== 'unclear') {
          repeats.appended(ids);
          return outcome;
        }
      } catch (error) {
        if (isTransient(error))
          logger?.warn({ err: error, attempt }, 'an append to EventStoreDB failed; it may have taken effect');
        failures++;
        // The server recognises a repeat at an expected revision, but with `any` only until it restarts.
        mayBeRepeat ||= expected === 'any';
        throw refusalIn(error, stream) ?? error;
      }
      return afterConflict(stream, ids, expected);
    });
  }

  /**
   * The place of the events, if an earlier try of this append caused the conflict. @throws RevisionConflict when it did
   * not.
   */
  async function afterConflict(
    stream: string,
    ids: readonly string[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    for (const begun = performance.now(); ; await pause(CHECK_AGAIN_MS)) {
      const found = await findEvents(stream, ids, ids.length);
      const place = placeIn(found, ids, stream);
      if (place !== undefined) return place;
      const indexLags = expected === 'any' || found.last === (expected === 'none' ? undefined : expected);
      if (!indexLags || performance.now() - begun > LONGEST_INDEX_LAG_MS)
        throw new RevisionConflict(stream, expected, found.last);
    }
  }

  /** Requests for one stream keep their order and share a search. Streams do not wait for each other, up to a limit. */
  async function appendMany(requests: readonly AppendRequest[]): Promise<PromiseSettledResult<AppendResult>[]> {
    const results = new Array<PromiseSettledResult<AppendResult>>(requests.length);
    const streams = Map.groupBy(requests.keys(), (index) => requests[index]!.stream);
    await pLimit(STREAMS_AT_ONCE).map(streams, async ([stream, indexes]) => {
      const events = indexes.map((index) => requests[index]!.events);
      const repeats = repeatSearchFor(stream, events);
      for (const index of indexes) {
        const [result] = await Promise.allSettled([append(requests[index]!, repeats)]);
        results[index] = result;
      }
    });
    return results;
  }

  return {
    append: async (stream, events, expected) => append({ stream, events, expected }, repeatSearchFor(stream, [events])),
    appendMany,
  };
}

/** Version 7 ids carry the time at which they were made (RFC 9562). Any other id may be derived, and so be a repeat. */
function isFresh(id: string): boolean {
  if (id[14] !== '7') return false;
  const made = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Math.abs(Date.now() - made) < FRESH_MS;
}
