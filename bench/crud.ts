import { call, type Person, type Video } from '../tests/support/systemClient.ts';
import type { Benchmark, Comparison } from './benchmark.ts';
import { cursorBehind } from '../src/features/videos/cursor.ts';
import { load, type LoadRequest } from './load.ts';
import { randomCursor, startTwins, videoId, type Twins } from './manyVideos.ts';
import { serversInTurns, type Load, type Server } from './servers.ts';

const CONNECTIONS = 32;
const VIDEOS = 10_000;
const SECONDS = 2;
const ROUNDS = 5;
const HOT = videoId(VIDEOS / 2);

const randomVideo = (): string => videoId(Math.floor(Math.random() * VIDEOS));
const headersOf = ({ token }: Person) => ({ authorization: `Bearer ${token}` });

/**
 * Our server compared with a CRUD twin: the same routes with the same answers, from rows that are changed in place, on the same
 * PostgreSQL. At the end, both must count every like and no other.
 */
export const crud: Benchmark = {
  name: 'crud',
  async run() {
    await using twins = await startTwins({ people: CONNECTIONS, videos: VIDEOS });
    await checkSameAnswers(twins);
    const read = (next: () => LoadRequest, prepare?: (server: Server) => Promise<unknown>) =>
      serversInTurns(
        ROUNDS,
        twins,
        (server) => load(server, { connections: CONNECTIONS, seconds: SECONDS, next }),
        prepare,
      );
    const peer = 'CRUD twin';

    const liked = createLikes(twins);
    for (const server of [twins.ours, twins.theirs]) {
      await load(server, { connections: CONNECTIONS, seconds: 1, next: () => ({ path: feedPath() }) });
      await load(server, { connections: CONNECTIONS, seconds: 2, next: () => ({ path: videoPath(randomVideo()) }) });
      await liked.toggle(server, randomVideo, 2);
    }
    const toggles = (choose: () => string) =>
      serversInTurns(ROUNDS, twins, (server) => liked.toggle(server, choose, SECONDS));
    const reads: Comparison[] = [
      {
        what: 'feed at a random cursor',
        peer,
        ...(await read(() => ({ path: feedPath() }))),
        atLeast: 1.5,
        chart: 'feed at a random cursor',
      },
      {
        what: 'feed at a random cursor, never asked for before',
        peer,
        ...(await read(() => ({ path: newFeedPath() }))),
      },
      {
        what: `random video of ${VIDEOS}, anonymous, whose view has counted already`,
        peer,
        ...(await read(() => ({ path: videoPath(randomVideo()) }), watchAll)),
        atLeast: 1.2,
        chart: 'random video, anonymous',
      },
    ];
    const onRandom = await toggles(randomVideo);
    const onHot = await toggles(() => HOT);
    for (const server of [twins.ours, twins.theirs]) await liked.check(server);
    return [
      ...reads,
      { what: 'like toggles, random videos', peer, ...onRandom, atLeast: 0.8, chart: 'likes of random videos' },
      { what: 'like toggles, one hot video', peer, ...onHot, atLeast: 2, chart: 'likes of one hot video' },
      {
        what: 'like toggles, one hot video',
        peer: 'ours on random videos',
        ours: onHot.ours,
        theirs: onRandom.ours,
        unit: '/s',
        atLeast: 1 / 1.5,
      },
    ];
  },
};

const videoPath = (id: string): string => `/api/v1/video/${id}`;
const feedPath = (): string => `/api/v1/video?cursor=${cursorBehind(randomVideo())}&limit=10`;
/** No cache has its answer. */
const newFeedPath = (): string => `/api/v1/video?cursor=${randomCursor(VIDEOS)}&limit=10`;

/** Both answer each route with the same bytes. Each gets each request once, so that counts stay the same. */
async function checkSameAnswers({ ours, theirs, people: [person] }: Twins): Promise<void> {
  const headers = headersOf(person!);
  const requests: LoadRequest[] = [
    { path: '/api/v1/video' },
    { path: '/api/v1/video?page=7&limit=20' },
    { path: feedPath() },
    { path: videoPath(randomVideo()) },
    { path: videoPath(HOT), headers },
    { path: videoPath(HOT), headers, method: 'POST' },
    { path: videoPath(HOT), headers, method: 'POST' },
  ];
  for (const { path, method = 'GET', headers } of requests) {
    const [our, their] = await Promise.all(
      [ours, theirs].map(async ({ url }) => (await fetch(url + path, { method, headers })).text()),
    );
    if (our !== their) throw new Error(`the CRUD twin answers ${method} ${path} otherwise:\n${our}\n${their}`);
  }
}

/**
 * Watches every video, so that no view counts for the next minute. Otherwise the server that has answered more requests has fewer views
 * left to count.
 */
async function watchAll(server: Server): Promise<void> {
  let n = 0;
  const connections = CONNECTIONS;
  while (n < VIDEOS)
    await load(server, { connections, seconds: 0.2, next: () => ({ path: videoPath(videoId(n++ % VIDEOS)) }) });
}

interface Likes {
  /** Each connection is another person. */
  toggle(server: Server, choose: () => string, seconds: number): Promise<Load>;
  /** @throws when a video counts other likes than were sent */
  check(server: Server): Promise<void>;
}

function createLikes({ people }: Twins): Likes {
  /** Of each server: who likes what. */
  const pairs = new Map<Server, Set<string>>();
  const likedAt = (server: Server): Set<string> => {
    if (!pairs.has(server)) pairs.set(server, new Set());
    return pairs.get(server)!;
  };
  return {
    toggle(server, choose, seconds) {
      const liked = likedAt(server);
      return load(server, {
        connections: people.length,
        seconds,
        next: (connection) => ({ method: 'POST', path: videoPath(choose()), headers: headersOf(people[connection]!) }),
        onAnswer(connection, { path }) {
          const pair = `${path} ${connection}`;
          if (!liked.delete(pair)) liked.add(pair);
        },
      });
    },
    async check(server) {
      const likers = new Map<string, number>();
      for (const pair of likedAt(server)) {
        const [path] = pair.split(' ') as [string];
        likers.set(path, (likers.get(path) ?? 0) + 1);
      }
      for (const { id, likeCount } of await wholeFeed(server)) {
        const expected = likers.get(videoPath(id)) ?? 0;
        if (likeCount !== expected) throw new Error(`video ${id} has ${expected} likers and counts ${likeCount}`);
      }
    },
  };
}

async function wholeFeed({ url }: Server): Promise<Video[]> {
  const found: Video[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = cursor === '' ? '/api/v1/video?limit=100' : `/api/v1/video?limit=100&cursor=${cursor}`;
    const { body } = await call<Video[]>(url, 'GET', path);
    found.push(...body.data);
    cursor = body.meta?.nextCursor ?? null;
  }
  if (found.length !== VIDEOS) throw new Error(`the feed has ${found.length} of ${VIDEOS} videos`);
  return found;
}
