import { expect, test } from '@jest/globals';
import { sql, type Kysely } from 'kysely';
import { fingerprintOf } from './fingerprint.ts';

interface Tables {
  counts: { id: string; likes: bigint };
}
type Create = (db: Kysely<Tables>) => Promise<void>;

const counts: Create = async (db) => {
  await db.schema.createTable('counts').addColumn('id', 'uuid').addColumn('likes', 'int8').execute();
};
const firstRow: Create = async (db) => {
  await db.insertInto('counts').values({ id: 'x', likes: 1n }).execute();
};
const index =
  (text: string): Create =>
  async (db) => {
    await sql.raw(text).execute(db);
  };

/** Of the tables that these steps create, one after the other. */
const fingerprint = (...steps: readonly Create[]): Promise<string> =>
  fingerprintOf(async (db) => {
    for (const step of steps) await step(db as unknown as Kysely<Tables>);
  });

test('declarations that create the same tables have one fingerprint, in any order and layout of their statements', async () => {
  const one = await fingerprint(counts, firstRow, index('create index a on counts (id)'));
  expect(one).toMatch(/^[\w-]{43}$/);
  expect(await fingerprint(counts, index('create index a\n  on counts (id)'), firstRow)).toBe(one);
});

test('another column, index or first row is another fingerprint', async () => {
  const other: Create = async (db) => {
    await db.schema.createTable('counts').addColumn('id', 'text').addColumn('likes', 'int8').execute();
  };
  const otherRow: Create = async (db) => {
    await db.insertInto('counts').values({ id: 'x', likes: 2n }).execute();
  };
  const all = [
    [counts],
    [other],
    [counts, firstRow],
    [counts, otherRow],
    [counts, index('create index a on counts (id)')],
    [counts, index('create index a on counts (likes)')],
  ];
  const fingerprints = await Promise.all(all.map((steps) => fingerprint(...steps)));
  expect(new Set(fingerprints).size).toBe(all.length);
});
