import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { countedViews, countingViews, evenly, manyViews } from '../../../tests/support/countingViews.ts';
import { asUuid } from '../../../tests/support/ids.ts';
import { createProjectingTest, type ProjectingTest } from '../../../tests/support/projecting.ts';
import type { Consumer } from '../consumer.ts';
import { dropExpired, readKept } from './kept.ts';
import { ensureLayout } from './layout.ts';
import { rebuild } from './rebuild.ts';
import { CannotRollBack, rollBack } from './rollback.ts';
import { verify } from './verify.ts';

let t: ProjectingTest;
beforeEach(async () => {
  t = await createProjectingTest();
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

const keeping = (consumer: Consumer) => ({ ...t.of(consumer), keepReplaced: true });
const views = (): Promise<Record<string, number>> => countedViews(t.pool);
const schemas = async (): Promise<string[]> =>
  (
    await t.pool.query<{ name: string }>(
      `select nspname::text as name from pg_namespace where nspname like 'counting%' order by 1`,
    )
  ).rows.map(({ name }) => name);

describe('rolling back', () => {
  test('makes the replaced tables live again, with all that has happened since, while events arrive', async () => {
    const consumer = countingViews();
    const { reached } = await t.run([consumer]);
    await reached('counting', await manyViews(t, 50));
    // A mark by which the tables can be told apart: the rebuild makes rows without it.
    await t.pool.query('update counting.seen set views = views + 1000 where video_id = $1', [asUuid('video', 1)]);
    await rebuild(keeping(consumer));
    expect(await views()).toEqual(evenly(10));
    await Promise.all([
      (async () => {
        for (let round = 0; round < 10; round++) await manyViews(t, 25);
      })(),
      rollBack(t.of(consumer)),
    ]);
    await reached('counting', await manyViews(t, 50));
    expect(await views()).toEqual({ ...evenly(70), 1: 1070 });

    // And forth again: the tables that were rolled back are kept now.
    await rollBack(t.of(consumer));
    await reached('counting', await manyViews(t, 5));
    expect(await views()).toEqual(evenly(71));
    expect(await verify(t.of(consumer))).toMatchObject({ identical: true });
    expect(await schemas()).toEqual(['counting', 'counting__old']);
  });

  test('works after an interruption, and from another layout of partitions', async () => {
    const consumer = countingViews();
    await (await t.run([consumer])).reached('counting', await manyViews(t, 20));
    await ensureLayout(t.of(consumer), 3);
    await rebuild(keeping(consumer));
    const last = await manyViews(t, 20);
    const stopped = new AbortController();
    const killed: Consumer = {
      ...consumer,
      apply: (...batch) => consumer.apply(...batch).finally(() => stopped.abort(new Error('killed'))),
    };
    await expect(rollBack({ ...t.of(killed), signal: stopped.signal })).rejects.toThrow('killed');
    await manyViews(t, 20);
    await rollBack(t.of(consumer));
    expect(last).toBe(40n);
    expect(await views()).toEqual(evenly(12));
    expect(await verify(t.of(consumer))).toMatchObject({ identical: true });
  });

  test('is refused when nothing is kept, and when the kept tables have other rules', async () => {
    const consumer = countingViews();
    const { reached, stop } = await t.run([consumer]);
    await reached('counting', await manyViews(t, 5));
    await rebuild(t.of(consumer));
    await expect(rollBack(t.of(consumer))).rejects.toMatchObject({ reason: 'nothing_kept' });
    await stop();
    const newer = countingViews({ version: 2, factor: 10 });
    await rebuild(keeping(newer));
    await expect(rollBack(t.of(newer))).rejects.toMatchObject({
      reason: 'other_rules',
      message: expect.stringContaining('Start the program of version 1 and roll back there'),
    });
    expect(await views()).toEqual(evenly(10));
    // The program of that version can.
    await rollBack(t.of(consumer));
    expect(await views()).toEqual(evenly(1));
    await expect(rollBack(t.of(consumer))).rejects.toThrow(CannotRollBack);
  });
});

describe('the kept tables', () => {
  test('are those of the last rebuild, and are dropped when their time has passed', async () => {
    const consumer = countingViews();
    const { reached } = await t.run([consumer]);
    await reached('counting', await manyViews(t, 5));
    await rebuild(keeping(consumer));
    await t.pool.query('update counting.seen set views = 7');
    await rebuild(keeping(consumer));
    expect((await t.pool.query('select distinct views from counting__old.seen')).rows).toEqual([{ views: 7 }]);
    expect((await readKept(t.pool, 'counting'))!.checkpoints[0]!.position).toBe(5n);

    await dropExpired(t.pool, 'counting', 1);
    expect(await schemas()).toEqual(['counting', 'counting__old']);
    await t.pool.query(`update counting__old.kept_checkpoints set replaced_at = now() - interval '61 minutes'`);
    await dropExpired(t.pool, 'counting', 1);
    expect(await schemas()).toEqual(['counting']);
  });

  test('do not include empty tables that were never built', async () => {
    await manyViews(t, 5);
    await rebuild(keeping(countingViews()));
    expect(await schemas()).toEqual(['counting']);
  });
});
