import { AppendRefused, type AppendResult } from '../../core/eventStore.ts';

/** Milliseconds. Older looks are repeated: the server remembers only a limited number of the ids that were appended since. */
const LONGEST_USE_MS = 10_000;

/** What the last events of a stream say about ids that were searched for. */
export interface Look {
  /** The stream's last revision; undefined when it does not exist. */
  readonly last: number | undefined;
  /** Where the events with these ids lie. */
  readonly places: ReadonlyMap<string, AppendResult>;
}

/** Searches the last events of a stream for ids. `longest` is the number of events in the longest append among them. */
export type Find = (stream: string, ids: readonly string[], longest: number) => Promise<Look>;

/** Looks at one stream on behalf of several appends to it, once as long as that is safe. */
export interface Looks {
  /** Where the events lie; undefined when they are not there. @throws AppendRefused when only some are, or in another order. */
  placeOf(ids: readonly string[]): Promise<AppendResult | undefined>;
  /** To be called when events have been appended. */
  wrote(ids: readonly string[]): void;
}

export interface LooksOptions {
  readonly stream: string;
  readonly find: Find;
  /** The ids of each append. */
  readonly appends: readonly (readonly string[])[];
  /** Number of calls that have failed. A server that failed may have forgotten the ids that were appended since the look. */
  readonly failures: () => number;
}

/**
 * What another process appends after the look is not in it. The server notices such a repeat by the ids in its memory, as
 * it does for any append between the search for its ids and the append itself.
 */
export function createLooks({ stream, find, appends, failures }: LooksOptions): Looks {
  const all = appends.flat();
  const longest = Math.max(...appends.map((ids) => ids.length));
  /** Appended since the look. */
  const written = new Set<string>();
  let latest: { readonly look: Look; readonly at: number; readonly failures: number } | undefined;

  async function look(ids: readonly string[]): Promise<Look> {
    const usable =
      latest?.failures === failures() &&
      performance.now() - latest.at < LONGEST_USE_MS &&
      !ids.some((id) => written.has(id));
    if (latest !== undefined && usable) return latest.look;
    written.clear();
    const begun = { at: performance.now(), failures: failures() };
    latest = { ...begun, look: await find(stream, all, longest) };
    return latest.look;
  }

  return {
    placeOf: async (ids) => placeIn(await look(ids), ids, stream),
    wrote: (ids) => {
      for (const id of ids) written.add(id);
    },
  };
}

/** Where the events lie; undefined when they are not there. @throws AppendRefused when only some are, or in another order. */
export function placeIn({ places }: Look, ids: readonly string[], stream: string): AppendResult | undefined {
  const found = ids.map((id) => places.get(id));
  if (found.every((place) => place === undefined)) return undefined;
  const first = found[0]?.revision ?? -1;
  if (found.every((place, n) => place?.revision === first + n)) return found.at(-1);
  throw new AppendRefused(`events for ${stream} have ids that are in it already, but not all of them in this order`);
}
