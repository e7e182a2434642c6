import type pg from 'pg';

type Client = Pick<pg.ClientBase, 'query'>;

/** Beside the checkpoints, in the schema that is the `search_path`: a rebuild that renames the schema takes it along. */
export const FINGERPRINT_TABLE = 'tables_fingerprint';

/** Undefined for tables that an older program created. */
export async function readFingerprint(client: Client): Promise<string | undefined> {
  const { rows: found } = await client.query<{ exists: boolean }>(`select to_regclass($1) is not null as exists`, [
    FINGERPRINT_TABLE,
  ]);
  if (!found[0]!.exists) return undefined;
  const { rows } = await client.query<{ fingerprint: string }>(`select fingerprint from ${FINGERPRINT_TABLE}`);
  return rows[0]?.fingerprint;
}

/** For tables without one. */
export async function keepFingerprint(client: Client, fingerprint: string): Promise<void> {
  await client.query(`create table if not exists ${FINGERPRINT_TABLE} (fingerprint text not null)`);
  await client.query(`insert into ${FINGERPRINT_TABLE} values ($1)`, [fingerprint]);
}
