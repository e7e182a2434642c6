import { toggleLike, type Person } from '../tests/support/systemClient.ts';
import type { Benchmark, Comparison } from './benchmark.ts';
import { load, type LoadRequest } from './load.ts';
import { startFilledSystem, type FilledSystem } from './manyVideos.ts';
import type { BareExpressSettings } from './peers/bareExpress.ts';
import { startPeer } from './peers/startPeer.ts';
import { mediansOf, takeTurns, type Server, type Turns } from './servers.ts';

const CONNECTIONS = 32;
const SECONDS = 2;
const STARTS = 4;
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
 * in its own process. While likes are toggled, the cached answer goes out of date all the time, so that reads also cost queries. Both
 * are started several times: two starts of the same code differ by up to a tenth.
 */
export function readsBenchmark(name: string, reads: readonly Read[]): Benchmark {
  return {
    name,
    async run() {
      const all = reads.map((read) => ({ read, quiet: [] as Turns[], toggled: [] as Turns[] }));
      for (let start = 0; start < STARTS; start++) {
        await using filled = await startFilledSystem({ people: CONNECTIONS, videos: VIDEOS });
        for (const { read, quiet, toggled } of all) {
          const turns = await takeTurnsReading(filled, read);
          quiet.push(turns.quiet);
          toggled.push(turns.toggled);
        }
      }
      const peer = 'Express alone, the same bytes';
      return all.flatMap(({ read: { what, atLeast }, quiet, toggled }): Comparison[] => [
        { what: `${what}, ${CONNECTIONS} connections`, peer, ...mediansOf(together(quiet)), atLeast, chart: what },
        { what: `${what}, while a like is toggled all the time`, peer, ...mediansOf(together(toggled)) },
      ]);
    },
  };
}

async function takeTurnsReading(
  { ours, people, newest }: FilledSystem,
  { pathFor, signedIn = false }: Read,
): Promise<{ quiet: Turns; toggled: Turns }> {
  const path = pathFor(newest.id);
  const next = (connection: number): LoadRequest => ({ path, headers: signedIn ? headersOf(people[connection]!) : {} });
  const reading = (server: Server, seconds = SECONDS) => load(server, { connections: CONNECTIONS, seconds, next });
  await reading(ours, 2); // All views of this minute are counted, so that the answer stays the same.
  const body = await (await fetch(ours.url + path, { headers: next(0).headers })).text();
  const settings: BareExpressSettings = { path: new URL(path, ours.url).pathname, body };
  await using theirs = await startPeer('bareExpress.ts', settings);
  await reading(theirs, 2);
  const toggling = () => toggleLike(ours.url, newest.id, people[0]!.token);
  return {
    quiet: await takeTurns(3, { ours, theirs }, (server) => reading(server)),
    toggled: await takeTurns(1, { ours, theirs }, (server) =>
      server === ours ? during(toggling, () => reading(server)) : reading(server),
    ),
  };
}

const together = (turns: readonly Turns[]): Turns => ({
  ours: turns.flatMap(({ ours }) => ours),
  theirs: turns.flatMap(({ theirs }) => theirs),
});

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
