import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { countingViews, manyViews, viewed, viewsOf } from '../../../tests/support/countingViews.ts';
import { histories, interleaved, type LoggedEvent } from '../../../tests/support/histories.ts';
import { asUuid } from '../../../tests/support/ids.ts';
import { createProjectingTest, type ProjectingTest } from '../../../tests/support/projecting.ts';
import { fc } from '../../../tests/support/property.ts';
import { LEFT_OUT } from '../../core/eventTypes.ts';
import { counted } from '../../features/analytics/index.ts';
import { readModelConsumers, type ReelStreamEvent } from '../../features/index.ts';
import type { Consumer } from '../consumer.ts';
import { verify } from './verify.ts';

let t: ProjectingTest;
beforeEach(async () => {
  t = await createProjectingTest();
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

const consumers = readModelConsumers({ viewRule: counted });
const consumerOf = (name: string): Consumer => consumers.find((each) => each.name === name)!;

/** Runs the consumers until they have all events. */
async function applyAll(...consumers: Consumer[]): Promise<void> {
  const { reached, stop } = await t.run(consumers);
  for (const { name } of consumers) await reached(name, await t.store.head());
  await stop();
}

async function scratchSchemas(): Promise<number | null> {
  const { rowCount } = await t.pool.query(`select from pg_namespace where nspname like 'counting\\_\\_verify%'`);
  return rowCount;
}

test('tables that equal a replay are identical, with a hash that is the same for the same rows', async () => {
  const counting = countingViews();
  await manyViews(t, 10);
  await applyAll(counting);
  const first = await verify(t.of(counting));
  expect(first).toEqual({
    projection: 'counting',
    position: 10n,
    identical: true,
    tables: [{ table: 'seen', rows: 5, hash: expect.stringMatching(/^[0-9a-f]{16}$/), differing: 0, drift: [] }],
  });
  // The rows now lie in another order.
  await t.pool.query('update counting.seen set views = views where video_id = $1', [asUuid('video', 0)]);
  expect(await verify(t.of(counting))).toEqual(first);
  await manyViews(t, 1);
  await applyAll(counting);
  expect((await verify(t.of(counting))).tables[0]!.hash).not.toBe(first.tables[0]!.hash);
});

test('one row that is wrong, one that is missing and one too many are named, with both values', async () => {
  const counting = countingViews();
  await manyViews(t, 10);
  await applyAll(counting);
  const [wrong, missing, surplus] = [1, 2, 9].map((n) => asUuid('video', n));
  await t.pool.query('update counting.seen set views = 7 where video_id = $1', [wrong]);
  await t.pool.query('delete from counting.seen where video_id = $1', [missing]);
  await t.pool.query('insert into counting.seen values ($1, 1)', [surplus]);
  const { identical, tables } = await verify(t.of(counting));
  expect({ identical, tables }).toMatchObject({ identical: false, tables: [{ table: 'seen', rows: 5, differing: 3 }] });
  expect(tables[0]!.drift).toEqual([
    { key: { video_id: wrong }, live: { views: 7 }, replayed: { views: 2 } },
    { key: { video_id: missing }, live: null, replayed: { video_id: missing, views: 2 } },
    { key: { video_id: surplus }, live: { video_id: surplus, views: 1 }, replayed: null },
  ]);
});

test('of many differing rows the first twenty are named, and all are counted', async () => {
  const counting = countingViews();
  await manyViews(t, 30, 30);
  await applyAll(counting);
  await t.pool.query('update counting.seen set views = 7');
  const [seen] = (await verify(t.of(counting))).tables;
  expect(seen!.differing).toBe(30);
  expect(seen!.drift.map(({ key }) => key['video_id'])).toEqual(
    Array.from({ length: 20 }, (_, n) => asUuid('video', n)),
  );
});

test('personal data is not in the report, only that it differs', async () => {
  const userId = asUuid('user', 1);
  const data = { name: 'Ada', username: 'ada', email: 'ada@example.com', passwordHash: 'secret', userId };
  await t.append(`user-${userId}`, { type: 'UserRegistered', data: { ...data, at: '2025-01-30T12:00:00.000Z' } });
  const accounts = consumerOf('accounts');
  await applyAll(accounts);
  await t.pool.query(`update accounts.users set email = 'eve@example.com', created_at = '2025-02-01 00:00+00'`);
  const changed = (await verify(t.of(accounts))).tables[0]!.drift;
  expect(changed).toEqual([
    {
      key: { id: userId },
      live: { email: LEFT_OUT, created_at: '2025-02-01T00:00:00+00:00' },
      replayed: { email: LEFT_OUT, created_at: '2025-01-30T12:00:00+00:00' },
    },
  ]);
  await t.pool.query(`delete from accounts.users`);
  const [{ live, replayed }] = (await verify(t.of(accounts))).tables[0]!.drift as [(typeof changed)[number]];
  expect({ live, replayed }).toMatchObject({
    live: null,
    replayed: { id: userId, name: LEFT_OUT, username: LEFT_OUT, email: LEFT_OUT },
  });
});

test('the scratch tables of a process that was killed are dropped, and those of one at work are not', async () => {
  const counting = countingViews();
  await t.append(viewsOf(1), viewed(1));
  await applyAll(counting);
  await t.pool.query('create schema counting__verify_1_dead');
  const inside = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const slow: Consumer = {
    ...counting,
    async apply(events, transaction) {
      inside.resolve();
      await release.promise;
      await counting.apply(events, transaction);
    },
  };
  const first = verify(t.of(slow));
  await inside.promise;
  expect(await scratchSchemas()).toBe(1);
  expect(await verify(t.of(counting))).toMatchObject({ identical: true });
  release.resolve();
  expect(await first).toMatchObject({ identical: true });
  expect(await scratchSchemas()).toBe(0);
});

test('rows of another version, or made under other settings, are not compared', async () => {
  const { reached, stop } = await t.run([countingViews()]);
  await reached('counting', await manyViews(t, 5));
  await stop();
  const message = /in place have version 1, and this program has version (2|1 \(tenfold\))/;
  for (const other of [{ version: 2 }, { variant: 'tenfold' }])
    await expect(verify(t.of(countingViews(other)))).rejects.toThrow(message);
  expect(await verify(t.of(countingViews()))).toMatchObject({ identical: true });
});

/** Appends the log in its order. */
async function record(log: readonly LoggedEvent[]): Promise<void> {
  for (const { stream, event } of log) await t.append(stream, event as ReelStreamEvent);
}

test('live delivery of any history leaves what a replay makes', async () => {
  await fc.assert(
    fc.asyncProperty(histories().chain(interleaved), fc.double({ min: 0, max: 1, noNaN: true }), async (log, part) => {
      await t[Symbol.asyncDispose]();
      t = await createProjectingTest();
      const before = Math.floor(log.length * part);
      await record(log.slice(0, before));
      const { reached, stop } = await t.run(consumers);
      await record(log.slice(before));
      for (const { name } of consumers) await reached(name, await t.store.head());
      for (const consumer of consumers)
        expect(await verify(t.of(consumer))).toMatchObject({ projection: consumer.name, identical: true });
      await stop();
    }),
    { numRuns: 5, interruptAfterTimeLimit: 40_000 },
  );
});
