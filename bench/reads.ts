import { fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';
import { clip } from '../tests/support/clips.ts';
import { startSystem } from '../tests/support/system.ts';
import { newPeople, toggleLike, uploaded } from '../tests/support/systemClient.ts';
import { inTurns, type Benchmark } from './benchmark.ts';

const CONNECTIONS = 32;
const SECONDS = 3;
const ROUNDS = 5;

export interface ReadsOptions {
  readonly name: string;
  /** What is read, in the results. */
  readonly what: string;
  /** The path of a read, given the id of the newest video, which is the one that is liked. */
  readonly pathFor: (videoId: string) => string;
  /** Ours ÷ theirs that we hold ourselves to while nothing else goes on. */
  readonly atLeast?: number;
}

/**
 * Reads one path of the whole server, compared with Express alone sending the same bytes from memory. Each runs in its own
 * process. While likes are toggled, the cached answer goes out of date all the time, so that reads also cost queries.
 */
export function readsBenchmark({ name, what, pathFor, atLeast }: ReadsOptions): Benchmark {
  return {
    name,
    async run() {
      await using system = await startSystem({ environment: { LOG_LEVEL: 'warn' } });
      const [person] = await newPeople(1, system.api);
      let video = '';
      for (let index = 0; index < 10; index++)
        video = (await uploaded(system.api(), person!.token, await clip('plain'))).id;

      const path = pathFor(video);
      const ours = new URL(path, system.api()).href;
      const body = await (await fetch(ours)).text();
      await using bare = await startBareExpress(path, body);
      await Promise.all([reads(ours, 2), reads(bare.url, 2)]); // warm
      const quiet = await inTurns(
        ROUNDS,
        () => reads(ours),
        () => reads(bare.url),
      );
      const whileLiked = await inTurns(
        3,
        () =>
          during(
            () => toggleLike(system.api(), video, person!.token),
            () => reads(ours),
          ),
        () => reads(bare.url),
      );
      const peer = { peer: 'Express alone, the same bytes', unit: '/s' };
      return [
        { what: `${what} reads, ${CONNECTIONS} connections`, ...peer, ...quiet, atLeast },
        { what: `${what} reads while a like is toggled all the time`, ...peer, ...whileLiked },
      ];
    },
  };
}

async function reads(url: string, seconds = SECONDS): Promise<number> {
  const { requests, non2xx, errors } = await autocannon({ url, connections: CONNECTIONS, duration: seconds });
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} answers were not 2xx, ${errors} requests failed`);
  return requests.average;
}

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

async function startBareExpress(path: string, body: string): Promise<{ url: string } & AsyncDisposable> {
  const child = fork(new URL('bareExpress.ts', import.meta.url));
  child.send({ path: new URL(path, 'http://bare').pathname, body });
  const [port] = (await once(child, 'message')) as [number];
  return {
    url: new URL(path, `http://127.0.0.1:${port}`).href,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}
