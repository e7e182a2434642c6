import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { countingViews } from '../../tests/support/countingViews.ts';
import { createProjectingTest, type ProjectingTest } from '../../tests/support/projecting.ts';
import { exactMove, install, moveCheckpoints, readCheckpoints, Superseded, type Move } from './checkpoints.ts';
import { beginning, withRollback } from './transaction.ts';

let t: ProjectingTest;
beforeAll(async () => {
  t = await createProjectingTest();
  await install(t.pool, countingViews(), 'one', { partitions: 2 });
  await install(t.pool, countingViews(), 'two');
});
afterAll(async () => t[Symbol.asyncDispose]());

const move = (schema: string, position: bigint): Move => {
  const partitions = schema === 'one' ? [0, 1] : [0];
  const places = partitions.map((partition) => ({ partition, position }));
  return { schema, places, partitions: partitions.length, version: 1, variant: '', logId: 'log' };
};

/** Returns the positions before the move. */
async function moved(moves: readonly Move[], options?: { skipLocked: boolean }): Promise<bigint[][]> {
  return withRollback(t.pool, async (client) => {
    const [, before] = await Promise.all([
      client.query(beginning({ schema: 'one' })),
      moveCheckpoints(client, moves, options),
    ]);
    await client.query('commit');
    return before.map((checkpoints) => checkpoints.map(({ position }) => position));
  });
}

const positions = async (schema: string): Promise<bigint[]> =>
  (await readCheckpoints(t.pool, schema)).map(({ position }) => position);

test('checkpoints of several consumers move forward together, and never back', async () => {
  expect(await moved([move('one', 5n), move('two', 5n)])).toEqual([[0n, 0n], [0n]]);
  expect(await moved([move('one', 3n), move('two', 7n)])).toEqual([[5n, 5n], [5n]]);
  expect([await positions('one'), await positions('two')]).toEqual([[5n, 5n], [7n]]);
});

test('a move whose transaction has not begun changes nothing', async () => {
  const before = await positions('two');
  await expect(moveCheckpoints(t.pool as unknown as pg.ClientBase, [move('two', 99n)])).rejects.toThrow(Superseded);
  expect(await positions('two')).toEqual(before);
});

test('a move waits for a checkpoint that is locked and starts from where the other left it, or skips it', async () => {
  const [before] = await positions('two');
  const other = await t.pool.connect();
  await other.query('begin');
  await other.query('update two.checkpoints set position = position + 10');
  await expect(moved([move('one', 20n), move('two', 20n)], { skipLocked: true })).rejects.toThrow(Superseded);
  expect(await positions('one')).toEqual([5n, 5n]);
  const waiting = moved([move('two', 100n)]);
  await other.query('commit');
  other.release();
  expect(await waiting).toEqual([[before! + 10n]]);
  expect(await positions('two')).toEqual([100n]);
});

test('an exact move fails unless every checkpoint is free, without parked events, and where its batch begins', async () => {
  const exactly = async (schema: string, from: bigint, to: bigint): Promise<void> => {
    const moving = move(schema, to);
    const places = moving.places.map((place) => ({ ...place, after: from }));
    const others = { ...move('two', 1_000n), places: [{ partition: 0, after: 100n, position: 1_000n }] };
    const { text, values } = exactMove([others, { ...moving, places }]);
    await withRollback(t.pool, async (client) => {
      await client.query(beginning({ schema }));
      await client.query(text, [...values]);
      await client.query('commit');
    });
  };
  const before = [await positions('one'), await positions('two')];
  const other = await t.pool.connect();
  await other.query('begin; select from one.checkpoints where partition = 1 for update');
  await expect(exactly('one', 5n, 20n)).rejects.toThrow();
  await other.query('rollback');
  other.release();
  await expect(exactly('one', 4n, 20n)).rejects.toThrow();
  await expect(exactly('one', 6n, 20n)).rejects.toThrow();
  await t.pool.query('update one.checkpoints set parks = true where partition = 1');
  await expect(exactly('one', 5n, 20n)).rejects.toThrow();
  expect([await positions('one'), await positions('two')]).toEqual(before);
  await t.pool.query('update one.checkpoints set parks = false');
  await exactly('one', 5n, 20n);
  expect([await positions('one'), await positions('two')]).toEqual([[20n, 20n], [1_000n]]);
});

test('a checkpoint that was removed while a move waited for it is superseded', async () => {
  const other = await t.pool.connect();
  await other.query('begin');
  await other.query('delete from two.checkpoints');
  const refused = expect(moved([move('two', 200n)])).rejects.toThrow(Superseded);
  await other.query('commit');
  other.release();
  await refused;
});
