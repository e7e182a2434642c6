import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import {
  processesWithout,
  readProcesses,
  startHeartbeats,
  type Heartbeats,
  type HeartbeatsOptions,
} from './processes.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => database[Symbol.asyncDispose]());

const start = (changes: Partial<HeartbeatsOptions> = {}): Heartbeats =>
  startHeartbeats({
    pool: database.pool,
    identity: { role: 'media', pid: 7, host: 'here', version: '1.2.3' },
    appended: () => Promise.resolve(0),
    masterKeys: () => ['a', 'b'],
    logger: silent,
    everyMs: 20,
    ...changes,
  });
const known = () => readProcesses(database.pool);
const age = (id: string, seconds: number): Promise<unknown> =>
  database.pool.query("update reelstream.processes set last_seen_at = now() - $2 * interval '1 second' where id = $1", [
    id,
    seconds,
  ]);

test('a process is seen while it runs, with how fast it appends, and is not listed once it has stopped', async () => {
  let appended = 0;
  const heartbeats = start({ appended: () => Promise.resolve((appended += 5)) });
  const [found] = await eventually(known, {
    what: 'it is listed',
    holds: ([first]) => (first?.appendsPerSecond ?? 0) > 0,
  });
  expect(found).toMatchObject({
    id: heartbeats.id,
    role: 'media',
    pid: 7,
    host: 'here',
    version: '1.2.3',
    isAlive: true,
  });
  expect(await processesWithout(database.pool, 'b')).toEqual([]);
  expect(await processesWithout(database.pool, 'c')).toEqual([{ role: 'media', pid: 7, host: 'here' }]);
  await heartbeats.close();
  expect(await known()).toEqual([]);
});

test('one that was killed is listed as lost, and later no more', async () => {
  // An hour between two signs of life: after the first, it looks as if it was killed.
  const [killed, other] = [start({ everyMs: 3_600_000 }), start()];
  await eventually(async () => (await known()).length === 2, { what: 'both are listed' });
  await age(killed.id, 16);
  expect((await known()).map(({ id, isAlive }) => [id, isAlive])).toEqual([
    [killed.id, false],
    [other.id, true],
  ]);
  await age(killed.id, 601);
  await eventually(async () => (await database.pool.query('select from reelstream.processes')).rowCount === 1, {
    what: 'the other has removed its row',
  });
  await Promise.all([killed.close(), other.close()]);
});

test('an outage of the database does not end the signs of life', async () => {
  let away = true;
  const pool = {
    query: (...args: Parameters<typeof database.pool.query>) =>
      away ? Promise.reject(new Error('away')) : database.pool.query(...args),
  } as unknown as HeartbeatsOptions['pool'];
  const heartbeats = start({ pool });
  expect(await known()).toEqual([]);
  away = false;
  await eventually(async () => (await known()).length === 1, { what: 'it is listed' });
  away = true;
  await heartbeats.close();
});
