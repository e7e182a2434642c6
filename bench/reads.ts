import { toggleLike, type Person } from '../tests/support/systemClient.ts';
import type { Benchmark, Comparison } from './benchmark.ts';
import { load, type LoadRequest } from './load.ts';
import { startFilledSystem } from './manyVideos.ts';
import type { BareExpressSettings } from './peers/bareExpress.ts';
import { startPeer } from './peers/startPeer.ts';
import { serversInTurns, type Server } from './servers.ts';

const CONNECTIONS = 32;
const SECONDS = 2;
const ROUNDS = 5;
const VIDEOS = 10_000;

interface Read {
  /** What is read, in the results. */
  readonly what: string;
  /** The path, given the id of the newest video, which is the one that is liked. */
  readonly pathFor: (videoId: string) => string;
  /** Whether each connection sends the access token of another user. */
  readonly signedIn?: boolean;
  readonly atLeast: number;
}

/**
 * Reads paths of the whole server with all its limits, compared with Express alone, which sends the same bytes from memory. Each runs
 * in its own process. While likes are toggled, the cached answer goes out of date all the time, so that reads also cost queries.
 */
export function readsBenchmark(name: string, reads: readonly Read[]): Benchmark {
  return {
    name,
    async run() {
      await using filled = await startFilledSystem({ people: CONNECTIONS, videos: VIDEOS });
      const { ours, people, newest } = filled;
      const video = newest.id;

      const results: Comparison[] = [];
      for (const { what, pathFor, signedIn = false, atLeast } of reads) {
        const path = pathFor(video);
        const next = (connection: number): LoadRequest => ({
          path,
          headers: signedIn ? headersOf(people[connection]!) : {},
        });
        const reading = (server: Server, seconds = SECONDS) =>
          load(server, { connections: CONNECTIONS, seconds, next });
        await reading(ours, 2); // All views of this minute are counted, so that the answer stays the same.
        const body = await (await fetch(ours.url + path, { headers: next(0).headers })).text();
        const settings: BareExpressSettings = { path: new URL(path, ours.url).pathname, body };
        await using theirs = await startPeer('bareExpress.ts', settings);
        await reading(theirs, 2);

        const peer = 'Express alone, the same bytes';
        const quiet = await serversInTurns(ROUNDS, { ours, theirs }, (server) => reading(server));
        results.push({ what: `${what}, ${CONNECTIONS} connections`, peer, ...quiet, atLeast, chart: what });
        const toggled = await serversInTurns(3, { ours, theirs }, (server) =>
          server === ours
            ? during(
                () => toggleLike(ours.url, video, people[0]!.token),
                () => reading(server),
              )
            : reading(server),
        );
        results.push({ what: `${what}, while a like is toggled all the time`, peer, ...toggled });
      }
      return results;
    },
  };
}

const headersOf = ({ token }: Person) => ({ authorization: `Bearer ${token}` });

/** Repeats `again` until `work` is done. */
async function during<T>(again: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  let over = false;
  const repeating = (async () => {
    while (!over) await again();
  })();
  try {
    return await work();
  } finally {
    over = true;
    await repeating;
  }
}
