import jwt from 'jsonwebtoken';
import { timeline } from '../projections/timeline/timeline.ts';
import { analytics } from '../projections/analytics.ts';
import { TEST_JWT_SECRET } from '../tests/support/httpApp.ts';
import { asUuid } from '../tests/support/ids.ts';
import { appendLongLog } from '../tests/support/longLog.ts';
import { createProjectingTest, type ProjectingTest } from '../tests/support/projecting.ts';
import { call } from '../tests/support/systemClient.ts';
import { startTestApi } from '../tests/support/testApi.ts';
import { counted } from '../src/features/analytics/index.ts';
import { projectionConsumer } from '../src/projecting/consumer.ts';
import { createProgressTracker } from '../src/projecting/progress/progressTracker.ts';
import { rebuild } from '../src/projecting/rebuilding/rebuild.ts';
import { percentile, type Benchmark } from './benchmark.ts';

/** `AS_OF_EVENTS=500000` for a quick run. */
const EVENTS = Number(process.env['AS_OF_EVENTS'] ?? 5_000_000);
/** An owner who has half of all events, and others with so many videos each. */
const HEAVY = asUuid('user', 9_999_999);
const VIDEOS_EACH = 25;
const EVENTS_A_VIDEO = 200;
const DAYS = 60;

const QUESTIONS = 400;
/** What we promise (ms). */
const PROMISED = 50;

/**
 * Analytics as of random moments, over HTTP: with all events, and with a tenth of them. The owners that are compared have the
 * same number of videos in both, so the difference is the age of the log.
 */
export const asOf: Benchmark = {
  name: 'asOf',
  async run() {
    const young = await measure(EVENTS / 10);
    const old = await measure(EVENTS);
    const size = `${EVENTS / 1e6} M events`;
    const promise = { unit: 'ms', peer: 'what we promise', theirs: PROMISED };
    return [
      {
        what: `as of, median at ${size}`,
        ours: old.median,
        theirs: young.median,
        unit: 'ms',
        peer: 'a tenth of the events',
        atMost: 1.5,
      },
      { what: `as of, p99 at ${size}`, ours: old.p99, ...promise, atMost: 1 },
      { what: `as of, p99 at ${size}, an owner with half of them`, ours: old.heavyP99, ...promise, atMost: 1 },
      { what: `as of, p99 at ${size}, a month of an ordinary owner`, ours: old.monthP99, ...promise, atMost: 1 },
      {
        what: 'rebuild of timeline',
        ours: old.timelineRate,
        theirs: old.analyticsRate,
        unit: 'events/s',
        peer: 'rebuild of analytics',
      },
      { what: 'timeline on disk', ours: old.bytes, theirs: old.logBytes, unit: 'bytes/event', peer: 'the log' },
    ];
  },
};

interface Measured {
  readonly median: number;
  readonly p99: number;
  readonly heavyP99: number;
  readonly monthP99: number;
  readonly timelineRate: number;
  readonly analyticsRate: number;
  readonly bytes: number;
  readonly logBytes: number;
}

async function measure(events: number): Promise<Measured> {
  await using t = await createProjectingTest();
  const until = new Date();
  const others = Array.from({ length: Math.ceil(events / EVENTS_A_VIDEO / VIDEOS_EACH / 2) }, (_, n) =>
    asUuid('user', n),
  );
  const head = await appendLongLog(t.pool, { events, days: DAYS, until, owners: others.flatMap((id) => [HEAVY, id]) });
  const analyticsRate = await rebuildRate(t, analytics, events);
  const timelineRate = await rebuildRate(t, timeline, events);
  await t.pool.query('vacuum analyze');

  const progress = createProgressTracker();
  for (const projection of [timeline.name, analytics.name])
    progress.moved({ projection, partition: 0, partitions: 1, position: head, changed: false });
  await using api = await startTestApi({ pool: t.pool, store: t.store, progress });

  const moment = (): Date => new Date(until.getTime() - Math.random() * DAYS * 86_400_000);
  /** The times of answers to questions about random moments (ms). */
  const times = async (owner: () => string, range = ''): Promise<number[]> => {
    const found: number[] = [];
    for (let n = 0; n < QUESTIONS * 1.1; n++) {
      const token = jwt.sign({ id: owner(), name: 'x', username: 'x', email: 'x@example.com' }, TEST_JWT_SECRET);
      const begun = performance.now();
      const answer = await call(api.app.url, 'GET', `/api/v1/analytics?asOf=${moment().toISOString()}${range}`, {
        token,
      });
      found.push(performance.now() - begun);
      if (answer.status !== 200) throw new Error(`as of a moment answered ${answer.status}: ${answer.text}`);
    }
    return found.slice(QUESTIONS * 0.1);
  };
  const someone = (): string => others[Math.floor(Math.random() * others.length)]!;
  const ordinary = await times(someone);
  const heavy = await times(() => HEAVY);
  const start = new Date(until.getTime() - 45 * 86_400_000).toISOString().slice(0, 10);
  const end = new Date(until.getTime() - 15 * 86_400_000).toISOString().slice(0, 10);
  const month = await times(someone, `&startDate=${start}&endDate=${end}`);
  const figures = {
    median: percentile(ordinary, 0.5),
    p99: percentile(ordinary, 0.99),
    heavyP99: percentile(heavy, 0.99),
    monthP99: percentile(month, 0.99),
    timelineRate,
    analyticsRate,
    bytes: (await bytes(t, 'timeline')) / events,
    logBytes: (await bytes(t, 'reelstream')) / events,
  };
  return figures;
}

/** Events per second. */
async function rebuildRate(
  t: ProjectingTest,
  projection: typeof timeline | typeof analytics,
  events: number,
): Promise<number> {
  const begun = performance.now();
  await rebuild(t.of(projectionConsumer(projection, { viewRule: counted })));
  return events / ((performance.now() - begun) / 1_000);
}

/** Of all tables and indexes in a schema. */
async function bytes({ pool }: ProjectingTest, schema: string): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `select sum(pg_total_relation_size(oid))::text as bytes from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r'`,
    [schema],
  );
  return Number(rows[0]!.bytes);
}
