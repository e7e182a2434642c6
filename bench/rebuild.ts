import { deepStrictEqual } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { RecordedEvent } from '../src/core/event.ts';
import type { EventStore } from '../src/core/eventStore.ts';
import { createPostgresEventStore } from '../src/eventStore/postgres/postgresEventStore.ts';
import { readModelConsumers } from '../src/features/index.ts';
import { counted } from '../src/features/analytics/viewRules/counted.ts';
import { createLogId } from '../src/core/logId.ts';
import type { Consumer } from '../src/projecting/consumer.ts';
import { rebuild as rebuildTables, type RebuildOptions } from '../src/projecting/rebuilding/rebuild.ts';
import { verify } from '../src/projecting/rebuilding/verify.ts';
import { createTestDatabase, type TestDatabase } from '../tests/support/database.ts';
import { appendLongLog } from '../tests/support/longLog.ts';
import { noSettings } from '../tests/support/noSettings.ts';
import { asIs, quiet } from '../tests/support/projecting.ts';
import { percentile, type Benchmark, type Comparison } from './benchmark.ts';

const EVENTS = 1_000_000;
const SHORT = 200_000;
const ROUNDS = 3;
/** Promised for a machine of two cores that does nothing else. */
const PROMISED_RATE = 150_000;
const PROMISED_MB = 250;
/** How many events the long log has whose rebuild must not take more memory: 1 000 000 by default, 5 000 000 to see more. */
const LONG = Number(process.env['REBUILD_EVENTS'] ?? EVENTS);
const MB = 1_000_000;

/**
 * A rebuild and a verification of analytics, compared with merely reading and folding the same events; how both grow with the log;
 * and the memory of `reelstream projections rebuild` on a long and a short log. Makes its own logs. Fails when the rows are not those of
 * the fold, or when a verification finds a difference. Linux only.
 */
export const rebuild: Benchmark = {
  name: 'rebuild',
  async run() {
    await using short = await databaseWith(SHORT);
    await using long = await databaseWith(Math.max(LONG, EVENTS));
    return [...(await speed(long)), ...(await memory(short, long))];
  },
};

async function databaseWith(events: number): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await appendLongLog(database.pool, { events });
  return database;
}

async function speed({ pool }: TestDatabase): Promise<Comparison[]> {
  const store = createPostgresEventStore({ pool });
  const consumer = readModelConsumers({ viewRule: counted }).find(({ name }) => name === 'analytics')!;
  const optionsUpTo = (events: number): Omit<RebuildOptions, 'onProgress'> => ({
    pool,
    consumer,
    schema: consumer.name,
    store: upTo(store, BigInt(events)),
    logId: createLogId(store),
    decode: asIs,
    discarded: () => Promise.resolve(new Set()),
    logger: quiet,
  });
  const rebuilding = (events: number): Promise<number> => rateOf(events, () => rebuildTables(optionsUpTo(events)));
  const verifying = (): Promise<number> =>
    rateOf(EVENTS, async () => {
      if (!(await verify(optionsUpTo(EVENTS))).identical)
        throw new Error('the rebuilt rows are not what a replay makes');
    });
  try {
    const rates = {
      folding: [] as number[],
      rebuilding: [] as number[],
      verifying: [] as number[],
      half: [] as number[],
    };
    for (let round = 0; round < ROUNDS; round++) {
      let folded: Totals | undefined;
      rates.folding.push(
        await rateOf(EVENTS, async () => {
          folded = await readAndFold(upTo(store, BigInt(EVENTS)), consumer);
        }),
      );
      rates.half.push(await rebuilding(EVENTS / 2));
      rates.rebuilding.push(await rebuilding(EVENTS));
      await requireTotals(pool, folded!);
      rates.verifying.push(await verifying());
    }
    const median = (of: keyof typeof rates): number => percentile(rates[of], 0.5);
    const ours = median('rebuilding');
    const unit = '/s';
    return [
      {
        what: 'events of a rebuild of analytics',
        peer: 'reading and folding only',
        ours,
        theirs: median('folding'),
        unit,
        atLeast: 0.75,
      },
      {
        what: 'events of a rebuild of analytics',
        peer: 'promised on two idle cores',
        ours,
        theirs: PROMISED_RATE,
        unit,
      },
      {
        what: 'events of a rebuild of a million',
        peer: 'of half a million',
        ours,
        theirs: median('half'),
        unit,
        atLeast: 0.8,
      },
      {
        what: 'events of a verification',
        peer: 'of a rebuild',
        ours: median('verifying'),
        theirs: ours,
        unit,
        atLeast: 0.9,
      },
    ];
  } finally {
    await store.close();
  }
}

/** The log as it was when it had so many events. */
function upTo(store: EventStore, position: bigint): Pick<EventStore, 'readAll' | 'head'> {
  return {
    head: () => Promise.resolve(position),
    readAll: ({ until = position, ...options }) =>
      store.readAll({ ...options, until: until < position ? until : position }),
  };
}

async function rateOf(events: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return events / ((performance.now() - start) / 1_000);
}

/** Of the rows of analytics. */
interface Totals {
  readonly days: number;
  readonly views: number;
  readonly likes: number;
  readonly uploads: number;
  readonly videos: number;
}

async function requireTotals(pool: pg.Pool, folded: Totals): Promise<void> {
  const { rows } = await pool.query<Totals>(
    `select count(*)::int as days, sum(views)::int as views, sum(likes)::int as likes, sum(uploads)::int as uploads,
       (select count(*)::int from analytics.videos) as videos from analytics.daily`,
  );
  deepStrictEqual(rows[0], folded, 'the rebuilt rows are not those of the fold');
}

const COUNTED = new Map<string, readonly ['views' | 'likes' | 'uploads', number]>([
  ['VideoViewed', ['views', 1]],
  ['VideoLiked', ['likes', 1]],
  ['VideoUnliked', ['likes', -1]],
  ['VideoUploaded', ['uploads', 1]],
]);

/** What analytics keeps, in memory: the numbers of each video and day, and the state of each video. */
async function readAndFold(store: Pick<EventStore, 'readAll'>, { handles }: Consumer): Promise<Totals> {
  const days = new Map<string, { views: number; likes: number; uploads: number }>();
  const videos = new Map<string, { title: string; ready: boolean; deleted: boolean }>();
  const fold = ({ type, data }: RecordedEvent): void => {
    const { ownerId, videoId, at, title } = data as Record<string, string>;
    if (type === 'VideoUploaded') videos.set(videoId!, { title: title!, ready: false, deleted: false });
    else if (type === 'VideoDetailsChanged') videos.get(videoId!)!.title = title!;
    else if (type === 'VideoProcessed') videos.get(videoId!)!.ready = true;
    else if (type === 'VideoDeleted') videos.get(videoId!)!.deleted = true;
    const counted = COUNTED.get(type);
    if (counted === undefined) return;
    const [what, by] = counted;
    const key = `${ownerId} ${at!.slice(0, 10)} ${videoId}`;
    let day = days.get(key);
    if (day === undefined) days.set(key, (day = { views: 0, likes: 0, uploads: 0 }));
    day[what] += by;
  };
  for await (const { events } of store.readAll({ after: 0n, types: handles })) events.forEach(fold);
  const sum = (what: 'views' | 'likes' | 'uploads'): number =>
    [...days.values()].reduce((total, day) => total + day[what], 0);
  return { days: days.size, views: sum('views'), likes: sum('likes'), uploads: sum('uploads'), videos: videos.size };
}

async function memory(short: TestDatabase, long: TestDatabase): Promise<Comparison[]> {
  const ofShort = (await peakOfRebuild(short)) / MB;
  const ofLong = (await peakOfRebuild(long)) / MB;
  const what = `resident memory of a rebuild of ${Math.max(LONG, EVENTS)} events`;
  return [
    { what, peer: 'what we promise', ours: ofLong, theirs: PROMISED_MB, unit: 'MB', atMost: 1 },
    { what, peer: 'of 200 000 events', ours: ofLong, theirs: ofShort, unit: 'MB', atMost: 1.2 },
  ];
}

/** Runs the command in a process of its own, as `npm run reelstream` does. Returns the most memory that it had, in bytes. */
async function peakOfRebuild({ url }: TestDatabase): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'reelstream-bench-'));
  const flags = ['--max-semi-space-size=8'];
  const child = spawn(process.execPath, [...flags, 'bin/reelstream.js', 'projections', 'rebuild', 'analytics'], {
    env: { ...noSettings, DATABASE_URL: url, DATA_DIR: folder, MALLOC_MMAP_THRESHOLD_: '4000000' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let peak = 0;
  const sampling = setInterval(() => {
    if (child.exitCode === null) peak = Math.max(peak, peakBytes(child.pid!));
  }, 20);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`the rebuild ended with code ${code}`);
    return peak;
  } finally {
    clearInterval(sampling);
    await rm(folder, { recursive: true, force: true });
  }
}

function peakBytes(pid: number): number {
  const [, kib = 0] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
