import pLimit, { type LimitFunction } from 'p-limit';
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
import { withHashes } from './hashedEvents.ts';
import { createRepeatSearch, placeIn, type FindEvents, type RepeatSearch } from './repeatSearch.ts';
import { retried } from './retry.ts';
import type { StreamEnd, StreamEnds } from './streamEnds.ts';

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
  readonly ends: StreamEnds;
  /** For how long an append is tried again (`RetryOptions`); more than `FRESH_MS`. */
  readonly retryForMs: number;
  readonly logger?: Logger;
}

/**
 * Appends that are tried again after a failure, and that recognise events which are in the stream already.
 *
 * The hash of an event depends on the event before it. So each append names the revision after which it writes, also
 * with `any`: when another writer was faster, it is hashed again, after the new end of the stream. The appends of this
 * process with `any` to one stream wait for each other instead.
 */
export function createIdempotentAppends({
  appendOnce,
  findEvents,
  ends,
  retryForMs,
  logger,
}: IdempotentAppendsOptions): Pick<EventStore, 'append' | 'appendMany'> {
  let failures = 0;
  /** The appends with `any` that wait for each other, by stream. */
  const queues = new Map<string, LimitFunction>();

  function repeatSearchFor(stream: string, appends: readonly (readonly NewEvent[])[]): RepeatSearch {
    const ids = appends.map((events) => events.map(({ id }) => id.toLowerCase()));
    return createRepeatSearch({ stream, findEvents, appends: ids, failures: () => failures });
  }

  async function append({ stream, events, expected }: AppendRequest, repeats: RepeatSearch): Promise<AppendResult> {
    const prepared = prepareAppend(stream, events, expected);
    const { ids } = prepared;
    const areFresh = ids.every(isFresh);
    // With `none` the server itself checks whether the stream begins with these events, however long ago that was.
    let mayBeRepeat = expected !== 'none' && !areFresh;

    async function appendAfter(end: StreamEnd, attempt: number): Promise<AppendResult | 'unclear'> {
      const hashed = withHashes(prepared, events, end);
      try {
        const outcome = await appendOnce(stream, hashed.events, end.revision === -1 ? 'none' : end.revision);
        if (outcome !== 'unclear') {
          repeats.appended(ids);
          // Events that may be a repeat may be in the log with other data, and so with other hashes.
          if (areFresh) ends.saw(stream, hashed.end);
          else ends.forget(stream);
        }
        return outcome;
      } catch (error) {
        if (isTransient(error))
          logger?.warn({ err: error, attempt }, 'an append to EventStoreDB failed; it may have taken effect');
        failures++;
        mayBeRepeat ||= expected === 'any';
        throw refusalIn(error, stream) ?? error;
      }
    }

    const appendNow = (): Promise<AppendResult> =>
      retried({ what: `an append to ${categoryOf(stream)}`, retryForMs }, async (attempt) => {
        if (mayBeRepeat) {
          const place = await repeats.placeOf(ids);
          if (place !== undefined) return place;
        }
        for (;;) {
          const end = await ends.before(stream, expected);
          const outcome = end === undefined ? 'unclear' : await appendAfter(end, attempt);
          if (outcome !== 'unclear') return outcome;
          const place = await afterConflict(stream, ids, expected, end);
          if (place !== undefined) return place;
        }
      });
    return expected === 'any' ? inTurn(stream, appendNow) : appendNow();
  }

  /**
   * The place of the events, if an earlier try of this append caused the conflict. Undefined when another writer was
   * faster than an append with `any`: it must be hashed again. @throws RevisionConflict for other conflicts.
   */
  async function afterConflict(
    stream: string,
    ids: readonly string[],
    expected: ExpectedRevision,
    end: StreamEnd | undefined,
  ): Promise<AppendResult | undefined> {
    for (const begun = performance.now(); ; await pause(CHECK_AGAIN_MS)) {
      const found = await findEvents(stream, ids, ids.length);
      const place = placeIn(found, ids, stream);
      if (place !== undefined) return place;
      const hasMoved = (found.last ?? -1) !== end?.revision;
      if (expected === 'any' && hasMoved) return undefined;
      const indexLags = expected === 'any' || found.last === (expected === 'none' ? undefined : expected);
      if (!indexLags || performance.now() - begun > LONGEST_INDEX_LAG_MS)
        throw new RevisionConflict(stream, expected, found.last);
    }
  }

  async function inTurn<T>(stream: string, work: () => Promise<T>): Promise<T> {
    const turns = queues.get(stream) ?? pLimit(1);
    queues.set(stream, turns);
    try {
      return await turns(work);
    } finally {
      if (turns.activeCount + turns.pendingCount === 0) queues.delete(stream);
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
