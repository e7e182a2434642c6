import type pg from 'pg';
import { LEFT_OUT } from '../../core/eventTypes.ts';
import { bookkeepingTables } from '../checkpoints.ts';

/** So many differing rows are reported for each table. */
const MOST_REPORTED = 20;
/** A comparison reads whole tables, which may take longer than the limits of the pools for other queries (ms). */
const limit = { query_timeout: 600_000 };

export type JsonRow = Readonly<Record<string, unknown>>;

/** A live table beside the same table as a replay of the log fills it. */
export interface TableComparison {
  readonly table: string;
  /** How many rows the live table has. */
  readonly rows: number;
  /**
   * Of all rows of the live table, whatever their order: the sum of the first 64 bits of the MD5 of each row's text, modulo
   * 2^64, as 16 hexadecimal digits. Tables with the same rows have the same hash, also in different databases.
   */
  readonly hash: string;
  /** How many rows differ, are missing from the live table, or should not be in it. */
  readonly differing: number;
  /** The first 20 of them, in the order of their keys. */
  readonly drift: readonly RowDrift[];
}

/** `live` and `replayed` are the columns that differ, or the whole row if the other side has none. Personal values are left out. */
export interface RowDrift {
  readonly key: JsonRow;
  /** Null when the row is missing from the live table. */
  readonly live: JsonRow | null;
  /** Null when the row should not be in the live table. */
  readonly replayed: JsonRow | null;
}

export interface ComparedSchemas {
  readonly live: string;
  readonly replayed: string;
  /** The columns of each table whose values are not reported. */
  readonly personal: Readonly<Record<string, readonly string[]>>;
}

/** Compares the tables of two schemas, in the order of their names. The transaction decides which snapshot is compared. */
export async function compareTables(client: pg.ClientBase, schemas: ComparedSchemas): Promise<TableComparison[]> {
  // The text and the JSON of a moment must not depend on the settings of the server.
  await client.query(`set local timezone to 'UTC'; set local datestyle to 'ISO'`);
  const { rows: tables } = await client.query<{ table: string; key: string[] }>(
    `select c.relname as table, array_agg(a.attname::text order by array_position(i.indkey, a.attnum)) as key
     from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
       join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
     where c.relnamespace = to_regnamespace($1) and not c.relname = any($2) group by 1 order by 1`,
    [`"${schemas.replayed}"`, bookkeepingTables],
  );
  const comparisons: TableComparison[] = [];
  for (const { table, key } of tables) {
    const summary = await summarize(client, `"${schemas.live}"."${table}"`);
    comparisons.push({ table, ...summary, ...(await differences(client, schemas, table, key)) });
  }
  return comparisons;
}

async function summarize(client: pg.ClientBase, table: string): Promise<{ rows: number; hash: string }> {
  const text = `
    select count(*) as rows, coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text as sum
    from ${table} t`;
  const { rows } = await client.query<{ rows: bigint; sum: string }>({ text, ...limit });
  const { rows: count, sum } = rows[0]!;
  return { rows: Number(count), hash: BigInt.asUintN(64, BigInt(sum)).toString(16).padStart(16, '0') };
}

async function differences(
  client: pg.ClientBase,
  { live, replayed, personal }: ComparedSchemas,
  table: string,
  key: readonly string[],
): Promise<Pick<TableComparison, 'differing' | 'drift'>> {
  const columns = key.map((column) => `"${column}"`).join(', ');
  const text = `
    select total, to_jsonb(l) as live, to_jsonb(r) as replayed from (
       select l, r, count(*) over () as total
       from "${live}"."${table}" l full join "${replayed}"."${table}" r using (${columns})
       where l is distinct from r order by ${columns} limit ${MOST_REPORTED}) first`;
  const { rows: found } = await client.query<{ total: bigint; live: JsonRow | null; replayed: JsonRow | null }>({
    text,
    ...limit,
  });
  return {
    differing: Number(found[0]?.total ?? 0),
    drift: found.map((row) => rowDrift(row, key, personal[table] ?? [])),
  };
}

function rowDrift(
  { live, replayed }: Pick<RowDrift, 'live' | 'replayed'>,
  key: readonly string[],
  personal: readonly string[],
): RowDrift {
  const row = (live ?? replayed)!;
  const differing = Object.keys(row).filter(
    (column) => live === null || replayed === null || JSON.stringify(live[column]) !== JSON.stringify(replayed[column]),
  );
  const shown = (from: JsonRow, columns: readonly string[]): JsonRow =>
    Object.fromEntries(columns.map((column) => [column, personal.includes(column) ? LEFT_OUT : from[column]]));
  return {
    key: shown(row, key),
    live: live && shown(live, differing),
    replayed: replayed && shown(replayed, differing),
  };
}
