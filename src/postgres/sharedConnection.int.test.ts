import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { createPool } from './pool.ts';
import { createSharedConnection, type ArrayQueries } from './sharedConnection.ts';

let database: TestDatabase;
let pool: pg.Pool;
let shared: ArrayQueries;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ connectionString: database.url, name: 'shared', max: 2 });
  shared = createSharedConnection(pool);
});

afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

/** One value. */
async function ask(text: string, of = shared): Promise<unknown> {
  const { rows } = await of.query<[unknown]>({ text, rowMode: 'array' });
  return rows[0]?.[0];
}

test('sends the queries of all callers on one connection, in their order, and gives it back to the pool', async () => {
  await ask('create temporary sequence turns');
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(`select pg_backend_pid() || ' ' || nextval('turns')`)),
  );
  const pids = answers.map((answer) => String(answer).split(' ')[0]);
  expect(new Set(pids).size).toBe(1);
  expect(answers.map((answer) => Number(String(answer).split(' ')[1]))).toEqual(answers.map((_, n) => n + 1));
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});

test('a query that fails fails alone', async () => {
  const [one, bad, three] = await Promise.allSettled([ask('select 1'), ask('select 1 / 0'), ask('select 3')]);
  expect([one, three]).toMatchObject([{ value: 1 }, { value: 3 }]);
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
});

test('queries after a lost connection get another one', async () => {
  const before = await ask('select pg_backend_pid()');
  const lost = ask('select pg_sleep(60)');
  const behind = ask('select 1');
  const ended = Promise.allSettled([lost, behind]);
  await database.pool.query('select pg_terminate_backend($1)', [before]);
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await ask('select pg_backend_pid()')).not.toBe(before);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});
