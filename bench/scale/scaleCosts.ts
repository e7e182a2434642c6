import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import type pg from 'pg';
import { eventMessage } from '../../src/delivery/kafka/record.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { projections } from '../../src/features/index.ts';
import { clip } from '../../tests/support/clips.ts';
import { createTestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { followFeed } from '../../tests/support/feedFollower.ts';
import { quiet } from '../../tests/support/projecting.ts';
import { call, newPeople, uploaded, type Person } from '../../tests/support/systemClient.ts';
import { SystemProcess } from '../../tests/support/systemProcess.ts';
import type { Benchmark, Comparison } from '../benchmark.ts';
import { cpuOf, cpuOfPostgres, cpuWithChildrenOf } from '../cpuTime.ts';
import { measuredCosts, measuredRates } from './costs.ts';
import { createTraffic } from './traffic.ts';

const CONNECTIONS = 32;
const VIDEOS = 4_000;
const READS = 8_000;
const LIKES = 3_000;
const FLOOD = 40_000;
const STEADY_RATE = 500;
const STEADY_SECONDS = 6;
const CLIP_SECONDS = 10;

/** CPU time in microseconds, of each part. */
interface Cpu {
  readonly api: number;
  readonly projector: number;
  readonly postgres: number;
  readonly media: number;
}

/**
 * Measures the costs that `npm run bench -- scale` calculates with, and prints them beside those written down in `costs.ts`. Starts a
 * process of each role on one PostgreSQL, without Kafka and Redis. Runs by name only. Linux only.
 */
export const scaleCosts: Benchmark = {
  name: 'scaleCosts',
  byNameOnly: true,
  async run() {
    await using database = await createTestDatabase();
    await using parts = new AsyncDisposableStack();
    const { pool } = database;
    const store = createPostgresEventStore({ pool, logger: quiet });
    parts.defer(() => store.close());
    const traffic = createTraffic(store);
    const folder = await mkdtemp(join(tmpdir(), 'reelstream-scale-'));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    const environment = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATABASE_URL: database.url,
      DATA_DIR: folder,
      RATE_LIMIT_ENABLED: 'false',
      LOG_LEVEL: 'warn',
    };
    const start = async (role: 'api' | 'projector' | 'media'): Promise<SystemProcess> => {
      const each = await SystemProcess.create(role, 0, folder, environment);
      parts.defer(async () => void (await each.end('SIGTERM')));
      await each.start();
      return each;
    };
    const api = await start('api');
    const projector = await start('projector');
    const media = await start('media');
    const reached = async (): Promise<void> => {
      const head = await store.head();
      await eventually(() => projected(pool, head), { within: 60_000, what: 'every projection has everything' });
    };
    await reached();

    const ofPostgres = await cpuOfPostgres(pool);
    if (ofPostgres === undefined)
      throw new Error('scaleCosts needs a PostgreSQL on this machine; unset DATABASE_URL, and it starts one');
    /** The cost of each of `units`, until every projection shows what they caused. */
    const costOf = async (units: number, work: () => Promise<unknown>): Promise<Cpu> => {
      const look = (): Cpu => ({
        api: cpuOf(api.pid!),
        projector: cpuOf(projector.pid!),
        media: media.running ? cpuWithChildrenOf(media.pid!) : 0,
        postgres: ofPostgres(),
      });
      const before = look();
      await work();
      await reached();
      const after = look();
      const each = (part: keyof Cpu): number => (after[part] - before[part]) / units;
      return { api: each('api'), projector: each('projector'), media: each('media'), postgres: each('postgres') };
    };

    const people: Person[] = [];
    const account = await costOf(2 * CONNECTIONS, async () =>
      people.push(...(await newPeople(CONNECTIONS, () => api.url))),
    );
    const slow = await clip('slow');
    const upload = await costOf(CLIP_SECONDS, async () => {
      const { id } = await uploaded(api.url, people[0]!.token, slow);
      const { status } = await call(api.url, 'GET', `/api/v1/video/${id}`);
      if (status !== 200) throw new Error(`the uploaded video answered ${status}`);
    });
    // Without a media process, which would look for the files of the videos that are only events.
    await media.end('SIGTERM');
    await traffic.upload(VIDEOS);
    await reached();
    const ids = [...traffic.counts.keys()];
    const pages = VIDEOS / 10;
    await load(api.url, READS, { path: () => '/api/v1/video?page=1&limit=10' }); // warm
    const feedHit = await costOf(READS, () => load(api.url, READS, { path: () => '/api/v1/video?page=1&limit=10' }));
    let page = 0;
    const feedMiss = await costOf(READS / 2, () =>
      load(api.url, READS / 2, { path: () => `/api/v1/video?page=${1 + (page++ % pages)}&limit=${10 + (page % 9)}` }),
    );
    const hot = ids[0]!;
    const videoHit = await costOf(READS, () => load(api.url, READS, { path: () => `/api/v1/video/${hot}`, people }));
    let look = 0;
    const anyVideo = (): string => `/api/v1/video/${ids[(look++ * 7) % ids.length]!}`;
    const videoMiss = await costOf(READS, () => load(api.url, READS, { path: anyVideo, people }));
    await load(api.url, 500, { path: anyVideo, people, method: 'POST' }); // warm
    const like = await costOf(LIKES, () => load(api.url, LIKES, { path: anyVideo, people, method: 'POST' }));
    const eventsWithoutSocket = await costOf(FLOOD, () => traffic.flood(FLOOD));
    const small = await costOf(STEADY_RATE * STEADY_SECONDS, () =>
      traffic.steady(STEADY_RATE, STEADY_SECONDS, () => Promise.resolve()),
    );
    const perCommit = (inSmallBatches: number, inLarge: number): number =>
      ((inSmallBatches - inLarge) * STEADY_RATE) / measuredRates.commitsPerSecond;
    const follower = followFeed(api.url, { topics: [`video:${hot}`] });
    parts.defer(() => void follower.socket.disconnect());
    await eventually(() => follower.subscribed() > 0, { what: 'a socket follows a video' });
    const eventsWithSocket = await costOf(FLOOD, () => traffic.flood(FLOOD));
    await checkCounts(pool, LIKES + 500);

    const bytes = await bytesPerEvent(pool, await store.head());
    const kafka = await kafkaBytesOf(store);
    const now: Record<Exclude<keyof typeof measuredCosts, 'kafkaEventProjector'>, number> = {
      feedHitApi: feedHit.api,
      feedMissApi: feedMiss.api,
      feedMissPostgres: feedMiss.postgres,
      videoHitApi: videoHit.api,
      videoMissApi: videoMiss.api,
      videoMissPostgres: videoMiss.postgres,
      likeApi: like.api,
      likeProjector: like.projector,
      likePostgres: like.postgres,
      accountApi: account.api,
      eventProjector: eventsWithoutSocket.projector,
      eventPostgres: eventsWithoutSocket.postgres,
      commitProjector: perCommit(small.projector, eventsWithoutSocket.projector),
      commitPostgres: perCommit(small.postgres, eventsWithoutSocket.postgres),
      eventApi: eventsWithoutSocket.api,
      socketEventApi: Math.max(0, eventsWithSocket.api - eventsWithoutSocket.api),
      mediaPerClipSecond: upload.media,
      logBytes: bytes.log,
      readModelBytes: bytes.readModels,
      timelineBytes: bytes.timeline,
      kafkaBytes: kafka,
    };
    return Object.entries(now).map(([name, ours]): Comparison => ({
      what: name,
      peer: 'written down in costs.ts',
      ours,
      theirs: measuredCosts[name as keyof typeof now],
      unit: name.endsWith('Bytes') ? 'bytes' : 'µs CPU',
    }));
  },
};

interface Load {
  readonly path: () => string;
  readonly method?: 'GET' | 'POST';
  /** Each connection is another of them. Without it, requests are anonymous. */
  readonly people?: readonly Person[];
}

/** Sends so many requests as fast as they are answered. @throws when one of them is refused. */
async function load(url: string, amount: number, { path, method = 'GET', people }: Load): Promise<void> {
  let next = 0;
  const { errors, non2xx } = await autocannon({
    url,
    connections: CONNECTIONS,
    amount,
    setupClient(client) {
      const person = people?.[next++ % people.length];
      const headers = person === undefined ? {} : { authorization: `Bearer ${person.token}` };
      client.setRequests([{ method, headers, setupRequest: (request) => ({ ...request, path: path() }) }]);
    },
  });
  if (errors + non2xx > 0) throw new Error(`${method} ${path()}: ${errors + non2xx} of ${amount} requests failed`);
}

async function projected(pool: pg.Pool, head: bigint): Promise<boolean> {
  const counts = projections.map(({ name }) => `select position from ${name}.checkpoints`).join(' union all ');
  const { rows } = await pool.query<{ position: bigint }>(`select min(position) as position from (${counts}) c`);
  return (rows[0]?.position ?? 0n) >= head;
}

/** @throws when the read models do not show what is in the log. */
async function checkCounts(pool: pg.Pool, toggles: number): Promise<void> {
  const { rows } = await pool.query<{ logged: bigint; shown: bigint; toggled: bigint }>(
    `select (select count(*) filter (where type = 'VideoLiked') - count(*) filter (where type = 'VideoUnliked') from reelstream.events) as logged,
            (select sum(like_count) from videos.counts)::bigint as shown,
            (select count(*) from reelstream.events where type in ('VideoLiked', 'VideoUnliked')) as toggled`,
  );
  const { logged, shown, toggled } = rows[0]!;
  if (logged !== shown || toggled < BigInt(toggles))
    throw new Error(
      `the log has ${logged} likes, and the read model ${shown}; ${toggled} toggles of ${toggles} are recorded`,
    );
}

async function bytesPerEvent(
  pool: pg.Pool,
  events: bigint,
): Promise<{ log: number; readModels: number; timeline: number }> {
  const sizes = await pool.query<{ schema: string; bytes: string }>(
    `select schemaname as schema, sum(pg_total_relation_size(format('%I.%I', schemaname, tablename)::regclass)) as bytes
     from pg_tables where schemaname = any($1) or (schemaname = 'reelstream' and tablename = 'events') group by 1`,
    [projections.map(({ name }) => name)],
  );
  const each = new Map(sizes.rows.map(({ schema, bytes }) => [schema, Number(bytes) / Number(events)]));
  const { reelstream = 0, timeline = 0, ...others } = Object.fromEntries(each);
  return { log: reelstream, timeline, readModels: Object.values(others).reduce((sum, size) => sum + size, 0) };
}

/** Of the last thousand events, as the relay would write them. */
async function kafkaBytesOf(store: ReturnType<typeof createPostgresEventStore>): Promise<number> {
  const head = await store.head();
  for await (const { events } of store.readAll({ after: head - 1_000n })) {
    const place = { partition: 0, previous: head, logId: 'x'.repeat(36) };
    return events.reduce((sum, event) => sum + eventMessage(event, place).bytes, 0) / events.length;
  }
  throw new Error('the log is empty');
}
