import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import { createQueryDatabase } from '../../postgres/queryDatabase.ts';
import { createProjectingTest, type ProjectingTest } from '../../../tests/support/projecting.ts';
import { fc } from '../../../tests/support/property.ts';
import { gatheringTransaction } from './gatheringTransaction.ts';
import type { ConsumerTransaction } from '../consumer.ts';
import { createGatheredRows } from './gatheredRows.ts';
import {
  boolean,
  createTables,
  int8,
  integer,
  nullable,
  table,
  text,
  timestamptz,
  type Database,
  type NewRow,
} from './table.ts';
import { upsert, writeRows, type OnConflict } from './upsert.ts';

const columns = {
  team: text,
  round: integer,
  points: integer,
  sum: nullable(int8),
  note: nullable(text),
  over: boolean,
  at: timestamptz,
  revision: integer,
};
const scores = table('scores', columns, { primaryKey: ['team', 'round'] });
const others = table('others', columns, { primaryKey: ['team', 'round'] });
type Column = keyof typeof columns;
type Tables = Database<[typeof scores, typeof others]>;

let t: ProjectingTest;
let db: Kysely<Tables>;
beforeAll(async () => {
  t = await createProjectingTest();
  db = createQueryDatabase(t.pool);
  await createTables(db as unknown as Kysely<never>, [scores, others]);
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

const rows = fc.uniqueArray(
  fc.record({
    team: fc.constantFrom('a', 'a 1', ''),
    round: fc.constantFrom(1, 11),
    points: fc.integer({ min: -3, max: 3 }),
    sum: fc.option(fc.constantFrom<number | string>(1, -2, '3', '9007199254740993', 9007199254740991)),
    note: fc.option(fc.constantFrom('x', 'y')),
    over: fc.boolean(),
    at: fc.constantFrom(1, 2, 3).map((ms) => new Date(ms)),
    revision: fc.integer({ min: 0, max: 6 }),
  }),
  { maxLength: 5, selector: ({ team, round }) => `${team},${round}` },
);
const change = (...changes: (keyof OnConflict)[]) => fc.constantFrom(undefined, ...changes);
const onConflict = fc
  .record({
    points: change('add', 'keep', 'greatest'),
    sum: change('add', 'keep', 'greatest'),
    note: change('keep'),
    over: change('keep', 'greatest'),
    at: change('keep', 'greatest'),
    revision: change('greatest'),
    onlyIfGreater: fc.constantFrom<(undefined | Column)[]>(undefined, undefined, undefined, 'revision', 'at', 'sum'),
    insert: fc.constantFrom(true, true, false),
  })
  .map(({ onlyIfGreater, insert, ...changes }): OnConflict<Column> => {
    const named = (change: string) =>
      (Object.keys(changes) as (keyof typeof changes)[]).filter((column) => changes[column] === change);
    return {
      add: named('add'),
      keep: named('keep'),
      greatest: named('greatest'),
      insert,
      ...(onlyIfGreater && { onlyIfGreater }),
    };
  });
/** Projections write a table in one or two ways. */
const steps = fc
  .tuple(onConflict, onConflict)
  .chain((ways) =>
    fc.array(
      fc.oneof(
        {
          weight: 8,
          arbitrary: fc.record({ to: fc.constantFrom(scores, others), rows, way: fc.constantFrom(...ways) }),
        },
        { weight: 1, arbitrary: fc.constantFrom('select', 'update', 'write') },
      ),
      { maxLength: 12 },
    ),
  );

test('gathered rows have the effect of their upserts one by one, and statements between find the same rows', async () => {
  async function effectOf(some: Steps, target: Kysely<Tables>, writeAll: () => Promise<void>): Promise<unknown> {
    await t.pool.query('truncate scores, others');
    const seen: unknown[] = [];
    const all = (name: 'scores' | 'others') =>
      target.selectFrom(name).selectAll().orderBy('team').orderBy('round').execute();
    for (const step of some) {
      if (step === 'select') seen.push(await all('scores'));
      else if (step === 'update')
        seen.push(
          await target
            .updateTable('others')
            .set((eb) => ({ points: eb('points', '+', 1) }))
            .where('team', '=', 'a')
            .returning('points')
            .execute()
            .then((updated) => updated.map(({ points }) => points).toSorted()),
        );
      else if (step === 'write') await writeAll();
      else await upsert(target, step.to, step.rows as NewRow<typeof columns>[], step.way);
    }
    await writeAll();
    return [seen, await all('scores'), await all('others')];
  }

  await fc.assert(
    fc.asyncProperty(steps, async (some) => {
      const oneByOne = await effectOf(some, db, () => Promise.resolve());
      const gathered = createGatheredRows((to, each, changes) => writeRows(db, to, each, changes));
      const transaction = { db } as unknown as ConsumerTransaction;
      const gathering = gatheringTransaction(gathered, () => Promise.resolve(transaction));
      const together = await effectOf(some, gathering.db as unknown as Kysely<Tables>, () => gathered.writeAll());
      expect(together).toEqual(oneByOne);
      expect(gathered.count).toBe(0);
    }),
    { numRuns: 300, interruptAfterTimeLimit: 40_000 },
  );
});

type Steps = typeof steps extends fc.Arbitrary<infer S> ? S : never;

test('upserts of rows with the same keys are written as one row each', async () => {
  await t.pool.query('truncate scores, others');
  const written: number[] = [];
  const gathered = createGatheredRows((to, each, changes) => {
    written.push(each.length);
    return writeRows(db, to, each, changes);
  });
  const { db: gathering } = gatheringTransaction(gathered, () =>
    Promise.reject(new Error('no statement was expected')),
  );
  const row = { team: 'a', round: 1, points: 1, sum: 1, note: 'x', over: false, at: new Date(0), revision: 1 };
  for (let n = 0; n < 10; n++) {
    await upsert(gathering, scores, [row, { ...row, round: 2 }], { add: ['points'], greatest: ['over'] });
    await upsert(gathering, scores, [{ ...row, over: true, note: '' }], {
      keep: ['note'],
      greatest: ['over'],
      add: ['points'],
      insert: false,
    });
  }
  await gathered.writeAll();
  expect(written).toEqual([2]);
  expect(await db.selectFrom('scores').select(['points', 'over', 'note']).orderBy('round').execute()).toEqual([
    { points: 20, over: true, note: 'x' },
    { points: 10, over: false, note: 'x' },
  ]);
});
