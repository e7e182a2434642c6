import { AppendRefused, type AppendResult } from '../../core/eventStore.ts';

/**
 * Milliseconds for which a search may be used. The server remembers only a limited number of the ids appended since.
 */
const LONGEST_USE_MS = 10_000;

/** What a search of a stream's last events found. */
export interface FoundEvents {
  /** The stream's last revision; undefined when the stream does not exist. */
  readonly last: number | undefined;
  /** The places of the events that were found, by id. */
  readonly places: ReadonlyMap<string, AppendResult>;
}

/**
 * Searches the last events of a stream for ids. `longest`: the number of events in the longest append that is looked
 * for.
 */
export type FindEvents = (stream: string, ids: readonly string[], longest: number) => Promise<FoundEvents>;

/**
 * Finds out which of several appends to one stream are in it already. One search serves them all while that is safe.
 */
export interface RepeatSearch {
  /**
   * The place of an append that is in the stream; undefined when it is not. @throws AppendRefused when only some of its
   * events are there, or in another order.
   */
  placeOf(ids: readonly string[]): Promise<AppendResult | undefined>;
  /** Reports that events have been appended. */
  appended(ids: readonly string[]): void;
}

export interface RepeatSearchOptions {
  readonly stream: string;
  readonly findEvents: FindEvents;
  /** The ids of each append. */
  readonly appends: readonly (readonly string[])[];
  /**
   * The number of calls that have failed. A server that failed may have forgotten the ids appended since the search.
   */
  readonly failures: () => number;
}

/**
 * A search does not show what another process appends after it. The server recognises such a repeat by the ids in its
 * memory, as it does for any append that arrives between a search and the append that follows it.
 */
export function createRepeatSearch({ stream, findEvents, appends, failures }: RepeatSearchOptions): RepeatSearch {
  const all = appends.flat();
  const longest = Math.max(...appends.map((ids) => ids.length));
  const appendedSince = new Set<string>();
  let latest: { readonly found: FoundEvents; readonly at: number; readonly failures: number } | undefined;

  async function search(ids: readonly string[]): Promise<FoundEvents> {
    const usable =
      latest?.failures === failures() &&
      performance.now() - latest.at < LONGEST_USE_MS &&
      !ids.some((id) => appendedSince.has(id));
    if (latest !== undefined && usable) return latest.found;
    appendedSince.clear();
    const begun = { at: performance.now(), failures: failures() };
    latest = { ...begun, found: await findEvents(stream, all, longest) };
    return latest.found;
  }

  return {
    placeOf: async (ids) => placeIn(await search(ids), ids, stream),
    appended: (ids) => {
      for (const id of ids) appendedSince.add(id);
    },
  };
}

/** The place of an append among the events that were found. The errors are those of `placeOf`. */
export function placeIn({ places }: FoundEvents, ids: readonly string[], stream: string): AppendResult | undefined {
  const found = ids.map((id) => places.get(id));
  if (found.every((place) => place === undefined)) return undefined;
  const first = found[0]?.revision ?? -1;
  if (found.every((place, n) => place?.revision === first + n)) return found.at(-1);
  throw new AppendRefused(
    `the ids of an append to ${stream} are in that stream already, but not all of them or not in this order`,
  );
}
