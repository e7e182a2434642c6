import type pg from 'pg';

/** What opens personal data, together with `DATA_KEY`. In the order in which rows can be added. */
export const keyTables = ['master_key', 'master_keys', 'name_keys', 'user_keys'] as const;
export type KeyTable = (typeof keyTables)[number];

/** A row as PostgreSQL makes JSON of it. */
export type KeyRow = Readonly<Record<string, unknown>>;

const PAGE = 5_000;

/** All keys and tombstones at one moment, in pages. */
export async function* readKeyTables(
  pool: pg.Pool,
): AsyncGenerator<{ readonly table: KeyTable; readonly rows: readonly KeyRow[] }> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    for (const table of keyTables) {
      await client.query(
        `declare ${table}_rows no scroll cursor for select to_jsonb(t) as row from reelstream.${table} t`,
      );
      for (;;) {
        const { rows } = await client.query<{ row: KeyRow }>(`fetch ${PAGE} from ${table}_rows`);
        if (rows.length === 0) break;
        yield { table, rows: rows.map(({ row }) => row) };
      }
    }
  } finally {
    await client.query('rollback').then(
      () => client.release(),
      () => client.release(true),
    );
  }
}

/** Adds rows to a database that no server has used. */
export async function writeKeyRows(pool: pg.Pool, table: KeyTable, rows: readonly KeyRow[]): Promise<void> {
  await pool.query(
    `insert into reelstream.${table} select * from jsonb_populate_recordset(null::reelstream.${table}, $1::jsonb)`,
    [JSON.stringify(rows)],
  );
}
