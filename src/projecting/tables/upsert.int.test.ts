import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import { createPool } from '../../postgres/pool.ts';
import { createQueryDatabase } from '../../postgres/queryDatabase.ts';
import { createProjectingTest, type ProjectingTest } from '../../../tests/support/projecting.ts';
import { createTables, int8, integer, nullable, table, text, timestamptz, type Database, type Row } from './table.ts';
import { upsert } from './upsert.ts';

const scores = table(
  'scores',
  { team: text, round: integer, points: int8, note: nullable(text), revision: integer, at: timestamptz },
  {
    primaryKey: ['team', 'round'],
    fillfactor: 70,
    indexes: { by_note: { columns: ['note'], where: 'note is not null' } },
  },
);

let t: ProjectingTest;
let db: Kysely<Database<[typeof scores]>>;
beforeAll(async () => {
  t = await createProjectingTest();
  db = createQueryDatabase(t.pool);
  await createTables(db as unknown as Kysely<never>, [scores]);
});
beforeEach(async () => {
  await t.pool.query('truncate scores');
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

const noon = new Date('2025-01-30T12:00:00.000Z');
const row = (changes: Partial<Row<typeof scores>> = {}) => ({
  team: 'red',
  round: 1,
  note: 'first',
  revision: 1,
  at: noon,
  ...changes,
  points: Number(changes.points ?? 5),
});
const all = () => db.selectFrom('scores').selectAll().orderBy('team').orderBy('round').execute();

test('writes rows that are new and reads back what was written', async () => {
  await upsert(db, scores, [
    row({ note: null }),
    { ...row(), round: 2, points: '9007199254740993', at: noon.toISOString() },
  ]);
  expect(await all()).toEqual([
    { ...row({ note: null }), points: 5n },
    { ...row(), round: 2, points: 9007199254740993n },
  ]);
});

test('overwrites every column outside of the key, unless an option names the column', async () => {
  await upsert(db, scores, [row()]);
  await upsert(db, scores, [row({ points: 2n, note: 'second', revision: 2 })]);
  expect(await all()).toEqual([{ ...row({ note: 'second', revision: 2 }), points: 2n }]);
  await upsert(db, scores, [row({ points: 3n, note: 'third', revision: 3 })], { add: ['points'], keep: ['note'] });
  expect(await all()).toEqual([{ ...row({ note: 'second', revision: 3 }), points: 5n }]);
});

test('leaves a row as it is unless its new value in the guarding column is greater', async () => {
  await upsert(db, scores, [row({ revision: 4 })]);
  for (const revision of [3, 4]) {
    await upsert(db, scores, [row({ revision, note: 'late' }), row({ round: revision })], {
      onlyIfGreater: 'revision',
    });
  }
  expect((await all()).map(({ round, note }) => [round, note])).toEqual([
    [1, 'first'],
    [3, 'first'],
    [4, 'first'],
  ]);
});

test('does nothing without rows', async () => {
  await upsert(db, scores, []);
  expect(await all()).toEqual([]);
});

test('lets writers of the same rows in opposite orders go on without a deadlock', async () => {
  const pool = createPool({ connectionString: t.url, name: 'second writer', max: 1 });
  try {
    const rows = Array.from({ length: 300 }, (_, round) => row({ round }));
    const writers = [
      { to: db, rows },
      { to: createQueryDatabase(pool), rows: rows.toReversed() },
    ];
    const write = async ({ to, rows }: (typeof writers)[number]): Promise<void> => {
      for (let time = 0; time < 50; time++) await upsert(to, scores, rows, { add: ['points'] });
    };
    await Promise.all(writers.map(write));
    expect((await all()).every(({ points }) => points === 500n)).toBe(true);
  } finally {
    await pool.end();
  }
});

/** Never runs: the compiler checks it. */
export function doesNotCompile(): Promise<unknown>[] {
  const { note: _, ...withoutNote } = row();
  return [
    // @ts-expect-error `nota` is no column, and `note` is missing.
    upsert(db, scores, [{ ...withoutNote, nota: 'first' }]),
    // @ts-expect-error a round is a number.
    upsert(db, scores, [{ ...withoutNote, note: null, round: 'one' }]),
    // @ts-expect-error `pionts` is no column.
    upsert(db, scores, [row()], { add: ['pionts'] }),
    // @ts-expect-error `score` is no table.
    db.selectFrom('score').selectAll().execute(),
  ];
}
