import { expect, test } from '@jest/globals';
import { countingViews, manyViews } from '../../../tests/support/countingViews.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { createProjectingTest } from '../../../tests/support/projecting.ts';
import { rebuild } from './rebuild.ts';

test('a reader that has begun with the old tables ends with them; the next one reads the new ones', async () => {
  await using t = await createProjectingTest();
  const consumer = countingViews();
  await (await t.run([consumer])).reached('counting', await manyViews(t, 50));
  // Tells the old table from the new one.
  await t.pool.query('update counting.seen set views = views + 1000');
  const counted = async (client: Pick<typeof t.pool, 'query'>): Promise<number> => {
    const { rows } = await client.query<{ views: number }>('select max(views) as views from counting.seen');
    return rows[0]!.views;
  };

  const reader = await t.pool.connect();
  let ended = false;
  let rebuilding: Promise<void>;
  try {
    await reader.query('begin');
    expect(await counted(reader)).toBe(1010);
    rebuilding = rebuild(t.of(consumer)).finally(() => (ended = true));
    const locking = async (): Promise<boolean> =>
      (
        await t.pool.query(
          `select from pg_stat_activity where query like '%savepoint locking%' and pid <> pg_backend_pid()`,
        )
      ).rowCount !== 0;
    await eventually(async () => ended || (await locking()), { what: 'the rebuild is about to exchange the tables' });
    expect(await counted(reader)).toBe(1010);
  } finally {
    await reader.query('commit');
    reader.release();
  }
  await rebuilding;
  expect(await counted(t.pool)).toBe(10);
});

test('replaced tables are dropped without holding up queries that read several of them', async () => {
  await using t = await createProjectingTest();
  const consumer = countingViews();
  await (await t.run([consumer])).reached('counting', await manyViews(t, 50));
  const reader = await t.pool.connect();
  let rebuilding: Promise<void>;
  try {
    await reader.query('begin');
    await reader.query('select from counting.seen');
    rebuilding = rebuild(t.of(consumer));
    const dropping = async (): Promise<boolean> => {
      const { rows } = await t.pool.query(
        `select from pg_stat_activity where query ~ 'savepoint locking|drop schema' and pid <> pg_backend_pid()
         and to_regnamespace('counting__old') is not null`,
      );
      return rows.length > 0;
    };
    await eventually(dropping, { what: 'the old tables are about to be dropped' });
    // Otherwise this query would wait for the drop, and the drop for this transaction.
    await reader.query(`set local statement_timeout to '5s'; select from counting__old.checkpoints`);
  } finally {
    await reader.query('commit');
    reader.release();
  }
  await rebuilding;
  const { rows } = await t.pool.query(`select to_regnamespace('counting__old') as old`);
  expect(rows).toEqual([{ old: null }]);
});
