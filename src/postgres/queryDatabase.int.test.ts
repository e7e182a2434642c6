import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { createPool } from './pool.ts';
import { asked, preparedQuery, type Argument, type Lists } from './preparedQuery.ts';
import { createQueryDatabase } from './queryDatabase.ts';

interface Tables {
  letters: { letter: string; place: number };
}

const resources = new AsyncDisposableStack();
let database: TestDatabase;
let pool: pg.Pool;
let db: Kysely<Tables>;
beforeAll(async () => {
  database = resources.use(await createTestDatabase());
  // One connection, so that its prepared statements are those of all queries.
  pool = resources.adopt(createPool({ connectionString: database.url, name: 'test', max: 1 }), (opened) =>
    opened.end(),
  );
  db = createQueryDatabase<Tables>(pool);
  await pool.query(`create table letters as select * from (values ('a', 1), ('b', 2), ('c', 3)) l(letter, place)`);
});
afterAll(() => resources.disposeAsync());

test('prepares a query once for all of its values', async () => {
  const letterAt = (place: number) => db.selectFrom('letters').select('letter').where('place', '=', place).execute();
  expect([await letterAt(1), await letterAt(3)]).toEqual([[{ letter: 'a' }], [{ letter: 'c' }]]);
  const { rows } = await pool.query(`select 1 from pg_prepared_statements where statement like '%"place" = $1'`);
  expect(rows).toHaveLength(1);
});

test('keeps a transaction on one connection', async () => {
  const isolation = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute((transaction) =>
      sql<{ level: string }>`select current_setting('transaction_isolation') as level`.execute(transaction),
    );
  expect(isolation.rows).toEqual([{ level: 'repeatable read' }]);
});

test('goes on after its connection was lost in the middle of a transaction, and after a query that failed', async () => {
  const pidOf = async (on: Kysely<Tables>) =>
    (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(on)).rows[0]!.pid;
  let lost = 0;
  const transaction = db.transaction().execute(async (inside) => {
    lost = await pidOf(inside);
    await terminate(lost);
    await pidOf(inside);
  });
  await expect(transaction).rejects.toThrow();
  await expect(sql`select 1 / 0`.execute(db)).rejects.toThrow('division by zero');
  expect(await pidOf(db)).not.toBe(lost);
});

/** Ends a connection, and returns when the server has closed it. */
async function terminate(pid: number): Promise<void> {
  const { rows } = await database.pool.query<{ ended: boolean }>('select pg_terminate_backend($1, 10000) as ended', [
    pid,
  ]);
  expect(rows).toEqual([{ ended: true }]);
}

test('runs a query that was compiled once with the arguments of each call', async () => {
  const lettersFrom = preparedQuery(db, (argument: Argument<{ first: number; most: number }>) =>
    db
      .selectFrom('letters')
      .select('letter')
      .where('place', '>=', argument('first'))
      .where('letter', '!=', sql.lit('d'))
      .where('letter', '!=', 'e')
      .orderBy('place')
      .limit(argument('most')),
  );
  expect(await lettersFrom({ first: 2, most: 5 })).toEqual([{ letter: 'b' }, { letter: 'c' }]);
  expect(await lettersFrom({ first: 1, most: 1 })).toEqual([{ letter: 'a' }]);
});

test('answers lists of questions, and plans them once for lists of any length', async () => {
  const columns = { first: 'int', most: 'int' } as const;
  const lettersFrom = preparedQuery(db, (argument: Argument<Lists<typeof columns>>) =>
    db
      .selectFrom(asked(argument, columns))
      .innerJoin('letters', (join) => join.onRef('letters.place', '>=', 'asked.first'))
      .where('letters.place', '<=', sql.ref<number>('asked.most'))
      .select(['asked.place as question', 'letter'])
      .orderBy('asked.place')
      .orderBy('letters.place'),
  );
  expect(await lettersFrom({ first: [3, 1, 5], most: [3, 2, 9] })).toEqual([
    { question: 1n, letter: 'c' },
    { question: 2n, letter: 'a' },
    { question: 2n, letter: 'b' },
  ]);
  for (let length = 1; length < 10; length++)
    await lettersFrom({ first: Array<number>(length).fill(1), most: Array<number>(length).fill(2) });
  const { rows } = await pool.query(
    `select custom_plans from pg_prepared_statements where statement like '%"asked"%' and statement not like '%pg_prepared%'`,
  );
  expect(rows).toEqual([{ custom_plans: 5n }]);
});
