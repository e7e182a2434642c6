import { afterAll, beforeAll, expect } from '@jest/globals';
import type pg from 'pg';
import { createPool } from '../src/postgres/pool.ts';
import { clip } from './support/clips.ts';
import { eventually } from './support/eventually.ts';
import { appendLongLog } from './support/longLog.ts';
import type { Ended } from './support/reelstream.ts';
import {
  call,
  getVideo,
  newPerson,
  setLike,
  uploaded,
  type Analytics,
  type Answer,
  type Person,
  type Video,
} from './support/systemClient.ts';
import { momentsOf, positionAt, truthOf, viewsByRule } from './support/truth.ts';
import { useSystem } from './support/useSystem.ts';

/** A log of two months, as users would have made it. Its videos belong to two people who can log in. */
const EVENTS = 20_000;
const DAYS = 60;
const OPERATOR = 'operator@example.com';

const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
const RANGE = { from: day(DAYS + 1), to: day(0) };

const { system, systemTest } = useSystem({ ofEach: 1, environment: { ADMIN_EMAILS: OPERATOR } });
let pool: pg.Pool;
let operator: Person;
let owner: Person;
let video: Video;

beforeAll(async () => {
  pool = createPool({ connectionString: await system().processes[0]!.databaseUrl(), name: 'test', max: 2 });
  operator = await newPerson(system().api(), { email: OPERATOR });
  owner = await newPerson(system().api());
  await appendLongLog(pool, { events: EVENTS, days: DAYS, owners: [operator.id, owner.id] });
  await cancelJobsOfLongLog();
  video = await uploaded(system().api(), owner.token, await clip('plain'), { title: 'The last of many' });
  await setLike(system().api(), video.id, operator.token);
  await allApplied();
}, 240_000);
afterAll(async () => {
  await pool?.end();
});

systemTest(
  'verify names each planted wrong, missing and unexpected row; a rebuild repairs them',
  async () => {
    expect((await verified('analytics')).code).toBe(0);
    const [wrong, missing, unexpected] = await daily('where views > 3 order by day, video_id limit 3');
    const key = 'where day = $1 and video_id = $2';
    await pool.query(`update analytics.daily set views = views + 1 ${key}`, [wrong!.day, wrong!.video_id]);
    await pool.query(`delete from analytics.daily ${key}`, [missing!.day, missing!.video_id]);
    await pool.query(
      `insert into analytics.daily select owner_id, video_id, '2020-02-02', 1, 0, 0 from analytics.daily ${key}`,
      [unexpected!.day, unexpected!.video_id],
    );

    const { code, found } = await verified('analytics');
    expect(code).toBe(1);
    expect(found).toMatchObject([{ projection: 'analytics', identical: false }]);
    expect(found[0]!.tables.filter(({ differing }) => differing > 0)).toMatchObject([{ table: 'daily', differing: 3 }]);
    const { drift } = found[0]!.tables[0]!;
    expect(drift).toHaveLength(3);
    for (const expected of [
      { key: keyOf(wrong!), live: { views: wrong!.views + 1 }, replayed: { views: wrong!.views } },
      { key: keyOf(missing!), live: null, replayed: expect.objectContaining({ views: missing!.views }) },
      {
        key: keyOf({ ...unexpected!, day: '2020-02-02' }),
        live: expect.objectContaining({ views: 1 }),
        replayed: null,
      },
    ])
      expect(drift).toContainEqual(expected);

    expect(await reelstream('projections', 'rebuild', 'analytics')).toMatchObject({ code: 0 });
    expect((await verified('analytics')).code).toBe(0);
  },
  120_000,
);

systemTest('as of ten moments, the analytics are those of a replay that stops there', async () => {
  const moments = await momentsOf(pool, 10);
  for (const asOf of moments) {
    const answer = await get<Analytics>(
      owner,
      `/api/v1/analytics?startDate=${RANGE.from}&endDate=${RANGE.to}&asOf=${asOf}`,
    );
    const position = await positionAt(pool, asOf);
    expect([answer.status, answer.body.meta]).toMatchObject([200, { asOf, position: String(position) }]);
    expect([asOf, answer.data]).toMatchObject([asOf, await truthOf(pool, { ownerId: owner.id, ...RANGE, position })]);
  }
});

systemTest('explain names the events behind a number, as many as the number says', async () => {
  const { data } = await get<Analytics>(owner, `/api/v1/analytics?startDate=${RANGE.from}&endDate=${RANGE.to}`);
  const busiest = data.viewsOverTime.reduce((most, each) => (each.count > most.count ? each : most));
  const events: { position: string; type: string }[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Answer<{ position: string; type: string }[]> = await get(
      owner,
      `/api/v1/analytics/explain?date=${busiest.date}&metric=views${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    expect([page.status, page.body.meta]).toMatchObject([200, { count: busiest.count }]);
    events.push(...page.data);
    cursor = page.body.meta!.nextCursor!;
  }
  expect(events).toHaveLength(busiest.count);
  expect(new Set(events.map(({ position }) => position)).size).toBe(busiest.count);
  const { rows } = await pool.query(
    `select position::text from reelstream.events where type = 'VideoViewed' and data ->> 'ownerId' = $1 and left(data ->> 'at', 10) = $2 order by events.position`,
    [owner.id, busiest.date],
  );
  expect(new Set(events.map(({ position }) => position))).toEqual(new Set(rows.map(({ position }) => position)));
});

systemTest('a video tells its history to its owner and to admins', async () => {
  for (const reader of [owner, operator]) {
    const { status, data } = await get<{ type: string; revision: number }[]>(
      reader,
      `/api/v1/video/${video.id}/history`,
    );
    // The ladder and what else is made later follow.
    expect([status, data.slice(0, 2)]).toMatchObject([
      200,
      [
        { type: 'VideoUploaded', revision: 0, data: { title: 'The last of many' } },
        { type: 'VideoProcessed', revision: 1 },
      ],
    ]);
  }
});

systemTest('two view rules are compared over the whole log, as JSON, CSV and table, and over HTTP', async () => {
  const truth = await viewsByRule(pool, RANGE);
  expect(truth.length).toBeGreaterThan(DAYS - 2);
  expect(truth.some(({ counted, unique }) => unique < counted)).toBe(true);
  const range = ['--from', RANGE.from, '--to', RANGE.to];
  const replay = async (format: string): Promise<string> => {
    const rules = ['--rule', 'counted', '--rule', 'daily-unique'];
    const { code, output } = await reelstream('replay', 'analytics', ...range, ...rules, '--format', format);
    expect(code).toBe(0);
    return output;
  };
  const days = truth.map(({ day: date, counted, unique }) => ({
    date,
    views: { counted, 'daily-unique': unique },
    difference: { 'daily-unique': unique - counted },
  }));
  expect(JSON.parse(await replay('json'))).toMatchObject({ days });

  const rows = truth.map(({ day: date, counted, unique }) => [date, counted, unique, unique - counted]);
  expect(await replay('csv')).toBe(
    [['date', 'counted', 'daily-unique', 'daily-unique - counted'], ...rows]
      .map((row) => `${row.join(',')}\r\n`)
      .join(''),
  );
  const lines = (await replay('table')).trimEnd().split('\n');
  expect(lines.slice(1, -1).map((line) => line.split(/ +/))).toEqual(rows.map((row) => row.map(String)));
  expect(lines.at(-1)).toMatch(/^total /);

  const overHttp = await call(system().api(), 'POST', '/api/v1/admin/replays', {
    token: operator.token,
    json: { ...RANGE, rules: ['counted', 'daily-unique'] },
  });
  expect([overHttp.status, overHttp.data]).toMatchObject([200, { days }]);
});

systemTest('events are exported as lines of JSON, all or by type, without personal data', async () => {
  const { code, output } = await reelstream('events', 'export');
  const { rows } = await pool.query<{ position: string }>(
    'select position::text from reelstream.events order by events.position',
  );
  const lines = output.trimEnd().split('\n');
  expect([code, lines.length]).toEqual([0, rows.length]);
  expect(lines.map((line) => (JSON.parse(line) as { position: string }).position)).toEqual(
    rows.map(({ position }) => position),
  );
  for (const { name, username, email } of [operator, owner])
    for (const personal of [name, username, email]) expect(output).not.toContain(personal);

  const uploads = await reelstream('events', 'export', '--type', 'VideoUploaded', '--stream', `video-${video.id}`);
  expect(
    uploads.output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toMatchObject([
    { type: 'VideoUploaded', stream: `video-${video.id}`, revision: 0, data: { title: 'left out', ownerId: owner.id } },
  ]);
});

systemTest(
  'an event that cannot be applied is parked, and the later events of its stream behind it; discarded, it is skipped for good',
  async () => {
    await appendBroken(`video-${video.id}`, 'VideoDetailsChanged', {
      videoId: video.id,
      ownerId: owner.id,
      title: null,
      description: null,
      at: new Date().toISOString(),
    });
    await eventually(() => parkedIn(1), { what: 'it is parked', holds: (names) => names.length === 3 });
    const changed = await call(system().api(), 'PATCH', `/api/v1/video/${video.id}`, {
      token: owner.token,
      json: { title: 'Told after the broken one', description: 'And it is' },
    });
    expect(changed.status).toBe(200);
    const names = await eventually(() => parkedIn(2), {
      what: 'the later event is parked behind it',
      holds: (found) => found.length === 3,
    });
    expect(names).toEqual(['analytics', 'timeline', 'videos']);
    expect(await health()).toMatchObject({ 'projection videos': { status: 'down' } });
    expect(await titleOf(video.id)).toBe('The last of many');

    for (const name of names) {
      const path = `/api/v1/admin/projections/${name}/parked`;
      const [broken, waiting] = (await get<{ id: string; waitsFor: string | null }[]>(operator, path)).data;
      expect([broken!.waitsFor, waiting!.waitsFor]).toEqual([null, broken!.id]);
      const json = { reason: 'Planted by a test.' };
      const token = operator.token;
      expect((await call(system().api(), 'DELETE', `${path}/${waiting!.id}`, { token, json })).status).toBe(409);
      const discarded = await call(system().api(), 'DELETE', `${path}/${broken!.id}`, { token, json });
      expect([discarded.status, discarded.data]).toMatchObject([200, { applied: 1, parked: 0, failed: null }]);
      expect((await call(system().api(), 'POST', `${path}/${broken!.id}/retry`, { token })).status).toBe(409);
    }
    await eventually(() => titleOf(video.id), {
      what: 'the later event is applied',
      holds: (title) => title === 'Told after the broken one',
    });
    expect(await reelstream('projections', 'rebuild', 'videos')).toMatchObject({ code: 0 });
    expect(await titleOf(video.id)).toBe('Told after the broken one');
    for (const name of names) expect([name, (await verified(name)).code]).toEqual([name, 0]);
    await eventually(health, {
      what: 'every part is up',
      holds: (parts) => Object.values(parts).every(({ status }) => status === 'up'),
    });
  },
  120_000,
);

/**
 * The made-up videos have no files. Their jobs would be tried again and again, and the upload that follows would have to wait
 * for its turn.
 */
async function cancelJobsOfLongLog(): Promise<void> {
  const events = `select count(*)::int as count from reelstream.events where type = any($1)`;
  const { rows } = await pool.query<{ count: number }>(events, [['VideoUploaded', 'VideoProcessed']]);
  const jobs = `select from reelstream_jobs.job where name in ('process', 'extras')`;
  await eventually(async () => (await pool.query(jobs)).rowCount, {
    what: 'all jobs of the long log are added',
    within: 60_000,
    holds: (count) => count === rows[0]!.count,
  });
  await pool.query(
    `update reelstream_jobs.job set state = 'cancelled', completed_on = now() where name in ('process', 'extras') and state in ('created', 'retry')`,
  );
}

/** The projections in which so many events are parked. */
async function parkedIn(count: number): Promise<string[]> {
  return (await listed())
    .filter(({ parkedEvents }) => parkedEvents === count)
    .map(({ name }) => name)
    .sort();
}

async function health(): Promise<Record<string, { readonly status: string }>> {
  return (
    (await call(system().playing('projector')[0]!.url, 'GET', '/health')).body as unknown as { components: never }
  ).components;
}

async function titleOf(videoId: string): Promise<string> {
  return (await getVideo(system().api(), videoId, { token: owner.token })).data.video.title;
}

/** Appends an event that the program itself would refuse, as a faulty writer would have done. */
async function appendBroken(stream: string, type: string, data: object): Promise<void> {
  await pool.query(
    `with head as (update reelstream.head set position = position + 1 returning position)
     insert into reelstream.events (position, stream, revision, id, type, data, metadata, time)
     select position, $1, (select max(revision) + 1 from reelstream.events where stream = $1), gen_random_uuid(), $2, $3,
       '{"correlationId": "planted", "actor": "test", "schemaVersion": 1}', now() from head`,
    [stream, type, JSON.stringify(data)],
  );
}

/** Waits until every projection has applied the whole log. */
async function allApplied(): Promise<void> {
  await eventually(listed, {
    within: 150_000,
    every: 500,
    what: 'all projections have applied the log',
    holds: (all) => all.every(({ lag }) => lag.events === 0),
  });
}

interface Listed {
  readonly name: string;
  readonly lag: { readonly events: number };
  readonly parkedEvents: number;
}

async function listed(): Promise<Listed[]> {
  return JSON.parse((await reelstream('projections', 'list', '--json')).output) as Listed[];
}

interface Verified {
  readonly projection: string;
  readonly identical: boolean;
  readonly tables: readonly {
    readonly table: string;
    readonly differing: number;
    readonly drift: readonly unknown[];
  }[];
}

async function verified(name: string): Promise<{ code: number | null; found: readonly Verified[] }> {
  const { code, output, errors } = await reelstream('projections', 'verify', name, '--json');
  if (output === '') throw new Error(`verify printed nothing: ${errors}`);
  return { code, found: JSON.parse(output) as Verified[] };
}

interface Daily {
  readonly owner_id: string;
  readonly day: string;
  readonly video_id: string;
  readonly views: number;
}

async function daily(where: string): Promise<Daily[]> {
  return (await pool.query<Daily>(`select owner_id, day::text, video_id, views from analytics.daily ${where}`)).rows;
}

const keyOf = ({ owner_id, day: date, video_id }: Daily) => ({ owner_id, day: date, video_id });

function get<Data>({ token }: Person, path: string): Promise<Answer<Data>> {
  return call<Data>(system().api(), 'GET', path, { token });
}

function reelstream(...args: readonly string[]): Promise<Ended> {
  return system().processes[0]!.command(...args);
}
