import type pg from 'pg';
import type { Appended } from '../../src/core/appended.ts';
import { createLogId } from '../../src/core/logId.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { counted } from '../../src/features/analytics/viewRules/counted.ts';
import { readModelConsumers } from '../../src/features/index.ts';
import { createSharedProgress } from '../../src/projecting/progress/sharedProgress.ts';
import { verify } from '../../src/projecting/rebuilding/verify.ts';
import { createTestDatabase } from '../../tests/support/database.ts';
import { asIs, quiet } from '../../tests/support/projecting.ts';
import { percentile, type Benchmark, type Comparison } from '../benchmark.ts';
import { startKafkaGroup, type CpuOfGroup, type KafkaLayout } from './kafkaGroup.ts';
import { createTraffic, type Traffic } from './traffic.ts';

/** What a cluster has by default: KAFKA_PARTITIONS is 6, and docker-compose.yml starts two projectors. */
const TODAY: KafkaLayout = { partitions: 6, processes: 2, membersEach: 1 };
const MORE_PARTITIONS: KafkaLayout = { partitions: 60, processes: 2, membersEach: 1 };
/** Two cores do not carry twenty processes, so each holds five members. */
const MORE_MEMBERS: KafkaLayout = { partitions: 60, processes: 4, membersEach: 5 };

const VIDEOS = 300;
const PER_SECOND = 200;
const STEADY_SECONDS = 8;
const FLOOD = 20_000;
/** Longer than a session of the consumer group, which is 10 s. */
const KILL_SECONDS = 13;
const WAIT_MS = 60_000;
/** An event that is shown later than this after a kill waited for another member to take its partition. */
const DELAYED_MS = 1_000;

interface Measured {
  readonly lags: readonly number[];
  /** Events per second from an empty queue until every projection has them all. */
  readonly drained: number;
  /** Seconds from a kill until events of every partition are shown again within `DELAYED_MS`. */
  readonly takenOver: number;
  /** CPU time of the relay and of the projectors for each event of the steady load and of the flood, in µs. */
  readonly steadyCpu: CpuOfGroup;
  readonly floodCpu: CpuOfGroup;
}

/**
 * A topic with ten times the partitions of today, and then also ten times the members, compared with today's: lag at a steady load, how fast a
 * flood of events is worked off, and how long a killed process is missed. At the end every count must be exact, and every projection
 * must be what a replay makes. Runs by name only. Needs KAFKA_BROKERS; DATABASE_URL should name the PostgreSQL beside it.
 */
export const scaleKafka: Benchmark = {
  name: 'scaleKafka',
  byNameOnly: true,
  async run() {
    const brokers = process.env['KAFKA_BROKERS'];
    if (brokers === undefined) throw new Error('scaleKafka needs KAFKA_BROKERS to name a broker');
    const theirs = await measure(brokers, TODAY);
    const results: Comparison[] = [];
    for (const layout of [MORE_PARTITIONS, MORE_MEMBERS]) {
      const ours = await measure(brokers, layout);
      const compare = (what: string, unit: string, of: (measured: Measured) => number): void =>
        void results.push({
          what: `${nameOf(layout)}: ${what}`,
          peer: nameOf(TODAY),
          ours: of(ours),
          theirs: of(theirs),
          unit,
        });
      compare(`until an event is shown, median at ${PER_SECOND}/s`, 'ms', ({ lags }) => percentile(lags, 0.5));
      compare(`until an event is shown, p99 at ${PER_SECOND}/s`, 'ms', ({ lags }) => percentile(lags, 0.99));
      compare('events worked off after a flood', '/s', ({ drained }) => drained);
      compare('until others work for a killed process', 's', ({ takenOver }) => takenOver);
      compare(`CPU of the projectors at ${PER_SECOND}/s`, 'µs/event', ({ steadyCpu }) => steadyCpu.projectors);
      compare('CPU of the projectors in the flood', 'µs/event', ({ floodCpu }) => floodCpu.projectors);
      compare('CPU of the relay in the flood', 'µs/event', ({ floodCpu }) => floodCpu.relay);
    }
    return results;
  },
};

function nameOf({ partitions, processes, membersEach }: KafkaLayout): string {
  return `${partitions} partitions, ${processes * membersEach} members`;
}

async function measure(brokers: string, layout: KafkaLayout): Promise<Measured> {
  await using database = await createTestDatabase();
  const { pool } = database;
  await using parts = new AsyncDisposableStack();
  const store = createPostgresEventStore({ pool, logger: quiet });
  parts.defer(() => store.close());
  const traffic = createTraffic(store);
  await traffic.upload(VIDEOS);
  const group = parts.use(await startKafkaGroup(brokers, database, layout));

  // As an API process does, this process hears from the projectors how far they are.
  const consumers = readModelConsumers({ viewRule: counted });
  const progress = createSharedProgress({ pool, projections: consumers, logger: quiet });
  parts.defer(() => progress.close());
  await progress.start();
  const wait = async (name: string, position: bigint, stream?: string): Promise<void> => {
    if (!(await progress.waitFor(name, position, { timeoutMs: WAIT_MS, ...(stream !== undefined && { stream }) })))
      throw new Error(`${name} is at ${progress.position(name)}, and not at ${position} after ${WAIT_MS} ms`);
  };
  const shown = async ({ stream, position, types }: Appended): Promise<void> => {
    const waited = consumers.filter(({ handles, awaited }) => awaited !== false && handles.includes(types[0]!));
    await Promise.all(waited.map(({ name }) => wait(name, position, stream)));
  };
  const allAtHead = async (): Promise<void> => {
    const head = await store.head();
    await Promise.all(consumers.map(({ name }) => wait(name, head)));
  };

  await allAtHead();
  await traffic.steady(PER_SECOND, 3, shown); // warm
  const beforeSteady = await group.cpuMs();
  const lags = await traffic.steady(PER_SECOND, STEADY_SECONDS, shown);
  await allAtHead();
  const beforeFlood = await group.cpuMs();
  const begun = performance.now();
  await traffic.flood(FLOOD);
  await allAtHead();
  const drained = FLOOD / ((performance.now() - begun) / 1_000);
  const afterFlood = await group.cpuMs();

  const takenOver = await killOne(traffic, () => group.killOne(), shown);
  await allAtHead();
  await check(pool, traffic);
  return {
    lags,
    drained,
    takenOver,
    steadyCpu: cpuOfEach(lags.length, beforeSteady, beforeFlood),
    floodCpu: cpuOfEach(FLOOD, beforeFlood, afterFlood),
  };
}

function cpuOfEach(events: number, before: CpuOfGroup, after: CpuOfGroup): CpuOfGroup {
  const each = (ms: number): number => (ms * 1_000) / events;
  return { relay: each(after.relay - before.relay), projectors: each(after.projectors - before.projectors) };
}

async function killOne(
  traffic: Traffic,
  kill: () => Promise<void>,
  shown: (appended: Appended) => Promise<void>,
): Promise<number> {
  let last = 0;
  const load = traffic.steady(PER_SECOND, KILL_SECONDS, async (appended) => {
    const sentAt = performance.now();
    await shown(appended);
    if (performance.now() - sentAt > DELAYED_MS) last = performance.now();
  });
  await kill();
  const killedAt = performance.now();
  await load;
  return Math.max(0, last - killedAt) / 1_000;
}

/** @throws when a count is not exact, or when a projection is not what a replay of the log makes. */
async function check(pool: pg.Pool, { counts }: Traffic): Promise<void> {
  const { rows } = await pool.query<{ video_id: string; likes: number; views: number }>(
    'select video_id, like_count::int as likes, view_count::int as views from videos.counts',
  );
  const found = new Map(rows.map((row) => [row.video_id, row]));
  for (const [videoId, { likes, views }] of counts) {
    const row = found.get(videoId);
    if (row?.likes !== likes || row.views !== views)
      throw new Error(
        `video ${videoId} has ${likes} likes and ${views} views, and counts ${row?.likes} and ${row?.views}`,
      );
  }
  const store = createPostgresEventStore({ pool, logger: quiet });
  try {
    for (const consumer of readModelConsumers({ viewRule: counted })) {
      const options = { pool, consumer, schema: consumer.name, store, logId: createLogId(store), decode: asIs };
      const { identical } = await verify({ ...options, discarded: () => Promise.resolve(new Set()) });
      if (!identical) throw new Error(`the rows of ${consumer.name} are not what a replay makes`);
    }
  } finally {
    await store.close();
  }
}
