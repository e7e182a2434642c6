import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pLimit from 'p-limit';
import { counted } from '../analytics/index.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import { quiet } from '../../../tests/support/projecting.ts';
import { createLogId } from '../../core/logId.ts';
import type { Consumer } from '../../projecting/consumer.ts';
import { createOperationsRunner, type OperationsRunner } from '../../projecting/operations/operationsRunner.ts';
import { nextSchema, oldSchema } from '../../projecting/rebuilding/schemas.ts';
import { readModelConsumers } from '../index.ts';

const readModels = readModelConsumers({ viewRule: counted });
const names = readModels.map(({ name }) => name);

interface Operation {
  readonly id: string;
  readonly state: string;
  readonly error: string | null;
  readonly result?: unknown;
}

interface Projection {
  readonly name: string;
  readonly state: string;
  readonly position: string;
  readonly head: string;
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly rebuild: Operation | null;
  readonly rollback: Operation | null;
  readonly verification: Operation | null;
  readonly kept: { readonly until: string } | null;
}

let t: FeaturesTest;
let admin: FeatureUser;
let runners: OperationsRunner[] = [];

beforeAll(async () => {
  t = await startFeatures();
  admin = await t.admin('Grace');
  const owner = await t.user('Ada');
  for (let n = 0; n < 3; n++) await t.video(owner);
}, 60_000);
afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.stop()));
  runners = [];
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

function consumersBehind(gate?: Promise<void>): Consumer[] {
  return readModels.map((consumer) =>
    gate === undefined ? consumer : { ...consumer, apply: (...batch) => gate.then(() => consumer.apply(...batch)) },
  );
}

/** Does operations as a process with the role `projector`. It applies nothing before `gate` resolves. */
function startProcess(gate?: Promise<void>, consumers = consumersBehind(gate)): OperationsRunner {
  const { pool, store, of } = t.projecting;
  const { decode, discarded } = of(consumers[0]!);
  const runner = createOperationsRunner({
    pool,
    store,
    decode,
    discarded,
    logId: createLogId(store),
    consumers,
    rebuilds: pLimit(2),
    keepHours: 24,
    logger: quiet,
  });
  runners.push(runner);
  runner.start();
  return runner;
}

const ask = (method: string, action: string, name = 'videos') =>
  t.call<Operation>(method, `/api/v1/admin/projections/${name}/${action}`, { token: admin.token });
const show = async (name = 'videos'): Promise<Projection> =>
  (await t.call<Projection>('GET', `/api/v1/admin/projections/${name}`, { token: admin.token })).data;

async function ended(what: 'rebuild' | 'verification'): Promise<Operation> {
  const projection = await eventually(() => show(), {
    what: `the ${what} has ended`,
    holds: (found) => ['done', 'failed', 'cancelled'].includes(found[what]?.state ?? ''),
  });
  return projection[what]!;
}

const schemaExists = async (name: string): Promise<boolean> =>
  (await t.projecting.pool.query('select from pg_namespace where nspname = $1', [name])).rowCount !== 0;

async function verified(): Promise<unknown> {
  expect((await ask('POST', 'verify')).status).toBe(202);
  const { state, result } = await ended('verification');
  expect(state).toBe('done');
  return result;
}

describe('the projections', () => {
  test('are shown to admins with their place, lag and size', async () => {
    const { status, data } = await t.call<Projection[]>('GET', '/api/v1/admin/projections', { token: admin.token });
    expect([status, data.map(({ name }) => name)]).toEqual([200, names]);
    expect(await show()).toMatchObject({
      name: 'videos',
      state: 'live',
      lag: { events: 0, seconds: 0 },
      parkedEvents: 0,
      tables: expect.arrayContaining([{ table: 'videos', rows: 3, isEstimate: false, bytes: expect.any(Number) }]),
      rebuild: null,
      kept: null,
    });
    const ada = await t.user('Bob');
    expect((await t.call('GET', '/api/v1/admin/projections', { token: ada.token })).status).toBe(403);
  });

  test('are named when one is asked for that does not exist', async () => {
    for (const [method, action] of [
      ['POST', 'rebuild'],
      ['DELETE', 'rebuild'],
      ['POST', 'rollback'],
      ['POST', 'verify'],
    ] as const) {
      const { status, body } = await ask(method, action, 'cats');
      expect([status, body.code, body.message]).toEqual([
        404,
        'projection_unknown',
        `There is no projection "cats". The projections are ${names.join(', ')}.`,
      ]);
    }
  });
});

describe('a rebuild', () => {
  test('that several ask for at once is one', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('POST', 'rebuild')));
    const accepted = answers.filter(({ status }) => status === 202);
    const refused = answers.filter(({ status }) => status === 409);
    expect([accepted.length, refused.length]).toEqual([1, 4]);
    expect(refused[0]!.body).toMatchObject({
      code: 'rebuild_under_way',
      message: expect.stringContaining(accepted[0]!.data.id),
    });
    expect(await show()).toMatchObject({
      state: 'rebuilding',
      rebuild: { id: accepted[0]!.data.id, state: 'waiting' },
    });
    startProcess();
    startProcess();
    expect(await ended('rebuild')).toMatchObject({ id: accepted[0]!.data.id, state: 'done' });
  });

  test('repairs rows, and a rollback brings the replaced ones back', async () => {
    startProcess();
    await t.projecting.pool.query(`update videos.videos set title = 'wrong'`);
    expect((await ask('POST', 'rebuild')).status).toBe(202);
    expect(await ended('rebuild')).toMatchObject({ state: 'done' });
    expect(JSON.stringify(await verified())).not.toContain('wrong');
    expect((await show()).kept!.until > new Date().toISOString()).toBe(true);

    const back = await ask('POST', 'rollback');
    expect([back.status, back.data.state]).toEqual([200, 'done']);
    const { rows } = await t.projecting.pool.query('select distinct title from videos.videos');
    expect(rows).toEqual([{ title: 'wrong' }]);
    expect(await verified()).toMatchObject({
      identical: false,
      tables: expect.arrayContaining([expect.objectContaining({ table: 'videos', differing: 3 })]),
    });
    expect((await ask('POST', 'rollback')).status).toBe(200);
    expect(await verified()).toMatchObject({ identical: true });
  });

  test('can be rolled back at once, while the tables that it replaced are still being dropped', async () => {
    startProcess();
    expect((await ask('POST', 'rebuild')).status).toBe(202);
    expect(await ended('rebuild')).toMatchObject({ state: 'done' });
    const reader = await t.projecting.pool.connect();
    try {
      await reader.query('begin');
      await reader.query(`select from "${oldSchema('videos')}".videos`);
      expect((await ask('POST', 'rebuild')).status).toBe(202);
      expect(await ended('rebuild')).toMatchObject({ state: 'done' });
      const rollback = ask('POST', 'rollback');
      await Promise.race([
        rollback,
        eventually(async () => (await show()).rollback?.state === 'waiting', { what: 'the rollback was asked for' }),
      ]);
      await reader.query('commit');
      expect(await rollback).toMatchObject({ status: 200, body: { data: { state: 'done' } } });
    } finally {
      reader.release(true);
    }
    expect(await verified()).toMatchObject({ identical: true });
  });

  test('goes on in another process when the one that runs it stops', async () => {
    await t.projecting.pool.query(`update videos.videos set title = 'wrong'`);
    const gate = Promise.withResolvers<void>();
    const first = startProcess(gate.promise);
    const { data } = await ask('POST', 'rebuild');
    await eventually(() => schemaExists(nextSchema('videos')), { what: 'the rebuild has begun' });
    const stopped = first.stop();
    gate.resolve();
    await stopped;
    expect(await show()).toMatchObject({ state: 'rebuilding', rebuild: { id: data.id, state: 'running' } });
    startProcess();
    expect(await ended('rebuild')).toMatchObject({ id: data.id, state: 'done', error: null });
    expect(await verified()).toMatchObject({ identical: true });
  });

  test('can be cancelled, and asked for again', async () => {
    expect((await ask('DELETE', 'rebuild')).body).toMatchObject({
      statusCode: 409,
      code: 'no_rebuild',
      message: 'No rebuild of videos is under way. Nothing needs to be cancelled.',
    });
    await ask('POST', 'rebuild');
    expect((await ask('DELETE', 'rebuild')).data.state).toBe('cancelled');

    const gate = Promise.withResolvers<void>();
    startProcess(gate.promise);
    await ask('POST', 'rebuild');
    await eventually(() => schemaExists(nextSchema('videos')), { what: 'the rebuild has begun' });
    const cancelling = ask('DELETE', 'rebuild');
    const { pool } = t.projecting;
    await eventually(
      async () =>
        (
          await pool.query('select from reelstream.projection_operations where cancel_asked and state = $1', [
            'running',
          ])
        ).rowCount === 1,
      { what: 'the cancellation was asked for' },
    );
    gate.resolve();
    expect((await cancelling).status).toBe(200);
    expect(await schemaExists(nextSchema('videos'))).toBe(false);
    expect((await show()).rebuild).toMatchObject({ state: 'cancelled' });

    expect((await ask('POST', 'rebuild')).status).toBe(202);
    expect(await ended('rebuild')).toMatchObject({ state: 'done' });
  });

  test('that fails says why, and does not touch the tables in place', async () => {
    const consumer = readModels.find(({ name }) => name === 'videos')!;
    startProcess(undefined, [{ ...consumer, createTables: () => Promise.reject(new Error('out of luck')) }]);
    await ask('POST', 'rebuild');
    expect(await ended('rebuild')).toMatchObject({ state: 'failed', error: 'out of luck' });
    expect(await schemaExists(nextSchema('videos'))).toBe(false);
    expect((await show()).state).toBe('live');
  });
});

test('a verification that is asked for twice is one', async () => {
  const [one, other] = [await ask('POST', 'verify'), await ask('POST', 'verify')];
  expect([one.status, other.status, other.data.id]).toEqual([202, 202, one.data.id]);
  startProcess();
  expect(await ended('verification')).toMatchObject({ id: one.data.id, state: 'done', result: { identical: true } });
});

test('a rollback with nothing kept is refused', async () => {
  const { body } = await ask('POST', 'rollback', 'analytics');
  expect(body).toMatchObject({
    statusCode: 409,
    code: 'nothing_to_roll_back',
    message: 'No older tables of analytics are kept. A rebuild keeps those that it replaces for REBUILD_KEEP_HOURS.',
  });
});
