import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { createPostgresEventStore } from '../src/eventStore/postgres/postgresEventStore.ts';
import { cursorBehind } from '../src/features/videos/cursor.ts';
import { extrasQueue, processQueue } from '../src/features/videos/processing/queues.ts';
import { createPool } from '../src/postgres/pool.ts';
import { eventually } from '../tests/support/eventually.ts';
import { asUuid } from '../tests/support/ids.ts';
import { startSystem, type System } from '../tests/support/system.ts';
import { call, newPeople, type Person, type Video } from '../tests/support/systemClient.ts';
import { cpuOfPostgres } from './cpuTime.ts';
import type { CrudTwinSettings } from './peers/crudTwin/server.ts';
import { schema } from './peers/crudTwin/schema.ts';
import { startPeer } from './peers/startPeer.ts';
import type { Server } from './servers.ts';

/** Between the ids of two videos are so many others, so that there are many cursors. */
const GAP = 1_000;
const FIRST = Date.UTC(2025, 0, 1);

/** The id of the nth video. */
export const videoId = (n: number): string => asUuid('video', (n + 1) * GAP);

/** A cursor that hardly any other call returns. */
export const randomCursor = (videos: number): string =>
  cursorBehind(asUuid('video', GAP + Math.floor(Math.random() * (videos - 1) * GAP)));

/** Our server as a user starts it, with videos. */
export interface FilledSystem extends AsyncDisposable {
  readonly ours: Server;
  readonly people: readonly Person[];
  readonly newest: Video;
  /** Of its PostgreSQL. */
  readonly databaseUrl: string;
  readonly pool: pg.Pool;
}

/** All limits are on, and the load does not reach them. */
export async function startFilledSystem(
  { people: count, videos }: { readonly people: number; readonly videos: number },
  environment: Readonly<Record<string, string>> = {},
): Promise<FilledSystem> {
  await using parts = new AsyncDisposableStack();
  const unreached = ['MAX', 'ADDRESS_MAX', 'VIEWERS', 'LOGIN_MAX', 'ACCOUNTS_PER_HOUR'];
  const limits = Object.fromEntries(unreached.map((name) => [`RATE_LIMIT_${name}`, '100000000']));
  const system = parts.use(
    await startSystem({
      environment: { LOG_LEVEL: 'warn', RATE_LIMIT_ENABLED: 'true', EXPIRES_IN: '1d', ...limits, ...environment },
    }),
  );
  const [main] = system.processes;
  const people = await newPeople(count, system.api);
  const databaseUrl = await main!.databaseUrl();
  const pool = createPool({ connectionString: databaseUrl, name: 'bench' });
  parts.defer(() => pool.end());
  await appendVideos(pool, people, videos);
  const newest = await allProjected(system, pool, videos);
  const running = parts.move();
  return {
    ours: { url: system.api(), pid: main!.pid! },
    ...{ people, newest, databaseUrl, pool },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Our server and the CRUD twin, each with the same users and videos, on one PostgreSQL. */
export interface Twins extends Pick<FilledSystem, 'ours' | 'people'>, AsyncDisposable {
  readonly theirs: Server;
  /** CPU time of their PostgreSQL (`cpuOfPostgres`). */
  readonly postgres: (() => number) | undefined;
}

export async function startTwins(size: { readonly people: number; readonly videos: number }): Promise<Twins> {
  await using parts = new AsyncDisposableStack();
  const jwtSecret = randomUUID();
  const { ours, people, newest, databaseUrl, pool } = parts.use(
    await startFilledSystem(size, { JWT_SECRET: jwtSecret }),
  );
  const settings: CrudTwinSettings = {
    databaseUrl: await fillTwin(pool, databaseUrl, people, size.videos),
    jwtSecret,
    mediaUrl: newest.url!.replace(/videos\/.*/, ''),
  };
  const theirs = parts.use(await startPeer('crudTwin/server.ts', settings));
  const postgres = await cpuOfPostgres(pool);
  const running = parts.move();
  return { ours, theirs, people, postgres, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

interface SomeVideo {
  readonly videoId: string;
  readonly owner: Person;
  readonly title: string;
  readonly description: string;
  readonly key: string;
  readonly at: Date;
}

function someVideos(people: readonly Person[], count: number): SomeVideo[] {
  return Array.from({ length: count }, (_, n) => {
    const id = videoId(n);
    return {
      videoId: id,
      owner: people[n % people.length]!,
      title: `Video number ${n}`,
      description: `What a person may write about the video number ${n}`,
      key: `videos/${id}/${id.slice(-12)}`,
      at: new Date(FIRST + n * 60_000),
    };
  });
}

const facts = { duration: 12.5, width: 720, height: 1280 };

/** Writes their events to the log, as uploads would. */
async function appendVideos(pool: pg.Pool, people: readonly Person[], count: number): Promise<void> {
  const store = createPostgresEventStore({ pool });
  const metadata = { correlationId: 'bench', schemaVersion: 1 };
  const requests = someVideos(people, count).map(({ videoId, owner, title, description, key, at }) => {
    const common = { videoId, ownerId: owner.id, at: at.toISOString() };
    const uploaded = {
      ...common,
      title,
      description,
      original: { key: `originals/${videoId}`, size: 1_000_000 },
      facts,
    };
    const video = { key: `${key}.mp4`, size: 900_000 };
    const processed = { ...common, video, thumbnail: { key: `${key}.jpg`, size: 10_000 }, facts };
    return {
      stream: `video-${videoId}`,
      events: [
        { id: randomUUID(), type: 'VideoUploaded', data: uploaded, metadata },
        { id: randomUUID(), type: 'VideoProcessed', data: processed, metadata },
      ],
      expected: 'none' as const,
    };
  });
  try {
    await store.appendMany(requests);
  } finally {
    await store.close();
  }
}

/** Waits until the feed has all videos, and removes the jobs that uploads make. Returns the newest video. */
async function allProjected(system: System, pool: pg.Pool, videos: number): Promise<Video> {
  const feed = async () => (await call<Video[]>(system.api(), 'GET', '/api/v1/video')).body;
  const { data } = await eventually(feed, {
    within: 60_000,
    what: 'the feed has all videos',
    holds: (page) => page?.meta?.total === videos,
  });
  const queues = [processQueue, extrasQueue].map(({ name }) => name);
  const jobs = async (): Promise<number> =>
    (await pool.query('delete from reelstream_jobs.job where name = any($1)', [queues])).rowCount!;
  let removed = 0;
  await eventually(async () => (removed += await jobs()) >= videos * queues.length, {
    within: 60_000,
    what: 'all jobs are removed',
  });
  await pool.query('vacuum analyze');
  return data[0]!;
}

async function fillTwin(pool: pg.Pool, url: string, people: readonly Person[], count: number): Promise<string> {
  await pool.query('create database crud_twin');
  const twinUrl = new URL(url);
  twinUrl.pathname = '/crud_twin';
  const client = new pg.Client({ connectionString: twinUrl.href });
  await client.connect();
  try {
    await client.query(schema);
    await client.query('insert into users select * from json_populate_recordset(null::users, $1)', [
      JSON.stringify(people.map(({ id, name, username }) => ({ id, name, username }))),
    ]);
    const rows = someVideos(people, count).map(({ videoId, owner, key, at, ...rest }) => ({
      ...{ id: videoId, owner_id: owner.id, status: 'ready', video_key: `${key}.mp4`, thumbnail_key: `${key}.jpg` },
      ...{
        ...rest,
        ...facts,
        visibility: 'public',
        hidden: false,
        created_at: at,
        updated_at: at,
        view_count: 0,
        like_count: 0,
      },
    }));
    await client.query('insert into videos select * from json_populate_recordset(null::videos, $1)', [
      JSON.stringify(rows),
    ]);
    await client.query('update totals set ready = $1', [count]);
    await client.query('vacuum analyze');
    return twinUrl.href;
  } finally {
    await client.end();
  }
}
