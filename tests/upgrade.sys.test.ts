import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { counted } from '../src/features/analytics/index.ts';
import { projections, readModelConsumers } from '../src/features/index.ts';
import { install } from '../src/projecting/checkpoints.ts';
import { createEmptyDatabase, type TestDatabase } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { Instance, newPlace, type Place } from './support/instance.ts';
import { call, type Answer } from './support/systemClient.ts';
import { readUpgradeFixture, restoreFixture, type RecordedQuery } from './support/upgradeFixture.ts';
import { startUpgradeLoad } from './support/upgradeLoad.ts';

jest.setTimeout(120_000);

const names = projections.map(({ name }) => name);
const fixture = readUpgradeFixture();
/** Those that the older program has as well. */
const inFixture = names.filter((name) => name in fixture.schemas);

let database: TestDatabase;
let pool: pg.Pool;
let place: Place;
const started: Instance[] = [];
let environment: Record<string, string>;

/** The database of the older program. Its projections have lower versions than any declared one, so all are rebuilt. */
beforeEach(async () => {
  database = await createEmptyDatabase();
  ({ pool } = database);
  await restoreFixture(database.url, fixture);
  for (const schema of inFixture) await pool.query(`update "${schema}".checkpoints set version = 0`);
  environment = { ...fixture.environment, DATABASE_URL: database.url };
  place = await newPlace();
});
afterEach(async () => {
  for (const instance of started.splice(0)) await instance[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function start(...command: readonly string[]): Instance {
  const instance = new Instance({
    ...place,
    env: environment,
    command: [process.execPath, 'bin/reelstream.js', ...command],
  });
  started.push(instance);
  return instance;
}

test('answers requests from the old tables until the new ones are in place, and none fails', async () => {
  const mayLack = await lackColumns();
  await using hold = await holdUpRebuilds();
  const instance = start('serve');
  await using load = startUpgradeLoad(instance.url, fixture);
  await instance.ready();
  const tokens = await logIn(instance.url);
  const ask = ({ path, person }: Omit<RecordedQuery, 'data'>, after?: bigint): Promise<Answer<unknown>> =>
    call(instance.url, 'GET', path, { ...(person !== undefined && { token: tokens[person]! }), after });

  // Queries read the old tables: the answers are the same as before, and /health reports the rebuild.
  expect(await readModels(instance.url)).toMatchObject(
    Object.fromEntries(inFixture.map((each) => [each, 'rebuilding'])),
  );
  for (const query of fixture.queries) {
    const { status, data, body } = await ask(query);
    if (status === 503 && mayLack) expect(body.code).toBe('projection_rebuilding');
    else expect([query.path, data]).toMatchObject([query.path, query.data]);
  }

  // A command does not wait for the old tables. A query for a later position than theirs is told to try again.
  const [, bob] = tokens as [string, string];
  const durations: number[] = [];
  let position: bigint | undefined;
  for (const method of ['PUT', 'DELETE', 'PUT', 'DELETE']) {
    const began = performance.now();
    const liked = await call(instance.url, method, `/api/v1/video/${fixture.video}/like`, { token: bob });
    durations.push(performance.now() - began);
    expect([liked.status, liked.headers.get('x-projection-behind')]).toEqual([200, 'true']);
    position = liked.position;
  }
  // Each request would take two seconds if it waited.
  expect(Math.min(...durations)).toBeLessThan(1_500);
  const early = await ask({ path: '/api/v1/video' }, position);
  expect([early.status, early.body.code, early.headers.get('retry-after')]).toEqual([
    503,
    'projection_rebuilding',
    '5',
  ]);

  await hold.release();
  await eventually(() => readModels(instance.url), {
    what: 'all new tables are in place',
    holds: (states) => names.every((each) => states[each] === 'current'),
  });
  await load.more(60);
  expect(await load.stop()).toMatchObject({ failures: [], ...(!mayLack && { rebuilding: 0 }) });

  for (const query of fixture.queries) {
    const { data } = await ask(query, position);
    expect([query.path, withoutViews(data)]).toMatchObject([query.path, withoutViews(query.data)]);
  }
  const verified = await start('projections', 'verify').ended;
  expect([verified.code, verified.output]).toEqual([
    0,
    expect.stringContaining(`${names.at(-1)} is identical with the log `),
  ]);
});

async function logIn(base: string): Promise<string[]> {
  const tokens: string[] = [];
  for (const { email, password } of fixture.people) {
    const { data } = await call<{ accessToken: string }>(base, 'POST', '/api/v1/auth/login', {
      json: { email, password },
    });
    tokens.push(data.accessToken);
  }
  return tokens;
}

async function readModels(base: string): Promise<Record<string, unknown>> {
  const { status, body } = await call(base, 'GET', '/health');
  expect(status).toBe(200);
  return (body as unknown as { components: Record<string, Record<string, unknown>> }).components['read models']!;
}

/** Holds the lock that a rebuild takes, for each projection, until `release`. */
async function holdUpRebuilds(): Promise<AsyncDisposable & { release(): Promise<void> }> {
  const client = await pool.connect();
  for (const each of names)
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`reelstream.rebuild ${each}`]);
  let isHeld = true;
  async function release(): Promise<void> {
    if (!isHeld) return;
    isHeld = false;
    await client.query('select pg_advisory_unlock_all()');
    client.release();
  }
  return { release, [Symbol.asyncDispose]: release };
}

/**
 * Whether this program's tables have columns that the fixture's lack. Then the old tables cannot answer every query.
 */
async function lackColumns(): Promise<boolean> {
  let lacks = false;
  for (const projection of readModelConsumers({ viewRule: counted })) {
    const declared = `${projection.name}__declared`;
    await install(pool, projection, declared);
    const { rowCount } = await pool.query(
      `select table_name, column_name from information_schema.columns
       where table_schema = $1 and table_name not in ('checkpoints', 'parked_events', 'tables_fingerprint')
       except select table_name, column_name from information_schema.columns where table_schema = $2`,
      [declared, projection.name],
    );
    lacks ||= rowCount! > 0;
    await pool.query(`drop schema "${declared}" cascade`);
  }
  return lacks;
}

/** Removes the view counts: the load watches videos, and the new tables count these views. */
function withoutViews(data: unknown): unknown {
  const counts = new Set(['viewCount', 'totalViews', 'viewsOverTime', 'engagementRate', 'topVideos']);
  return JSON.parse(JSON.stringify(data, (key, value: unknown) => (counts.has(key) ? undefined : value)));
}
