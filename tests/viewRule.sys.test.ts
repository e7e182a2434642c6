import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { createPostgresEventStore } from '../src/eventStore/postgres/postgresEventStore.ts';
import { createEmptyDatabase, type TestDatabase } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { Instance, newPlace, type Place } from './support/instance.ts';
import { quiet } from './support/projecting.ts';
import { call, type Analytics, type Answer } from './support/systemClient.ts';
import { readUpgradeFixture, restoreFixture } from './support/upgradeFixture.ts';

jest.setTimeout(120_000);

const DAY = '2025-01-31';
const VIEWS = 5;

const fixture = readUpgradeFixture();

let database: TestDatabase;
let pool: pg.Pool;
let place: Place;
const started: Instance[] = [];

beforeEach(async () => {
  database = await createEmptyDatabase();
  ({ pool } = database);
  await restoreFixture(database.url, fixture);
  place = await newPlace();
});
afterEach(async () => {
  for (const instance of started.splice(0)) await instance[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function start(viewRule: string): Promise<Instance> {
  const env = { ...fixture.environment, DATABASE_URL: database.url, VIEW_RULE: viewRule };
  const instance = new Instance({ ...place, env });
  started.push(instance);
  return instance.ready();
}

async function stateOfAnalytics(base: string): Promise<unknown> {
  const { body } = await call(base, 'GET', '/health');
  return (body as unknown as { components: Record<string, Record<string, unknown>> }).components['read models']![
    'analytics'
  ];
}

const current = (base: string): Promise<unknown> =>
  eventually(() => stateOfAnalytics(base), { what: 'analytics are current', holds: (state) => state === 'current' });

/** Appends views of one video by one viewer. Returns the position of the last. */
async function viewedAgainAndAgain(videoId: string, ownerId: string): Promise<bigint> {
  const store = createPostgresEventStore({ pool, logger: quiet });
  const data = { videoId, ownerId, viewer: 'addr:fan', at: `${DAY}T12:00:00.000Z` };
  const metadata = { correlationId: 'test', schemaVersion: 1 };
  const events = Array.from({ length: VIEWS }, () => ({ id: randomUUID(), type: 'VideoViewed', data, metadata }));
  try {
    return (await store.append(`views-${videoId}_${DAY}`, events, 'any')).position;
  } finally {
    await store.close();
  }
}

test('a restart under another view rule rebuilds analytics while the old numbers are served, and each answer names its rule', async () => {
  const first = await start('');
  await current(first.url);
  const { email, password } = fixture.people[0]!;
  const login = await call<{ accessToken: string }>(first.url, 'POST', '/api/v1/auth/login', {
    json: { email, password },
  });
  const token = login.data.accessToken;
  const ask = (base: string, after?: bigint): Promise<Answer<Analytics>> =>
    call(base, 'GET', `/api/v1/analytics?startDate=${DAY}&endDate=${DAY}`, { token, after });
  const shown = ({ status, data, body }: Answer<Analytics>): unknown[] => [status, data?.totalViews, body.meta];
  const me = await call<{ id: string }>(first.url, 'GET', '/api/v1/auth/me', { token });
  const position = await viewedAgainAndAgain(fixture.video, me.data.id);
  const counted = [200, VIEWS, expect.objectContaining({ rule: 'counted' })];
  const unique = [200, 1, expect.objectContaining({ rule: 'daily-unique' })];
  expect(shown(await ask(first.url, position))).toEqual(counted);
  await first.stop();

  const hold = await pool.connect();
  try {
    await hold.query(`select pg_advisory_lock(hashtextextended('reelstream.rebuild analytics', 0))`);
    const { url: base } = await start('daily-unique');
    expect(await stateOfAnalytics(base)).toBe('rebuilding');
    expect(shown(await ask(base))).toEqual(counted);

    const answers: unknown[][] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) answers.push(shown(await ask(base)));
    })();
    await hold.query('select pg_advisory_unlock_all()');
    await current(base).finally(() => (isOver = true));
    await asking;
    const changed = answers.findIndex(([, views]) => views === 1);
    for (const [n, answer] of answers.entries())
      expect(answer).toEqual(changed === -1 || n < changed ? counted : unique);
    expect(shown(await ask(base, position))).toEqual(unique);
  } finally {
    hold.release();
  }
});
