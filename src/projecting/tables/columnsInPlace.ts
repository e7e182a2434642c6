import { sql, type Kysely } from 'kysely';
import type { ProjectionName } from '../readYourWrites.ts';

const UNDEFINED_COLUMN = '42703';

export interface WantedColumns<Column extends string> {
  readonly projection: ProjectionName;
  readonly table: string;
  readonly columns: readonly Column[];
}

/**
 * Asks a query for these columns. While a higher version of the projection is built, the tables in place are older and
 * may lack some of the columns: then the query is asked again, for those that exist. The answer must make sense without
 * the others.
 */
export async function askColumnsInPlace<Tables, Column extends string, Result>(
  db: Kysely<Tables>,
  { projection, table, columns }: WantedColumns<Column>,
  ask: (columns: readonly Column[]) => Promise<Result>,
): Promise<Result> {
  try {
    return await ask(columns);
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNDEFINED_COLUMN) throw error;
    const { rows } = await sql<{ name: string }>`
      select column_name as name from information_schema.columns
      where table_schema = ${projection.name} and table_name = ${table}`.execute(db);
    const inPlace = new Set(rows.map(({ name }) => name));
    const found = columns.filter((column) => inPlace.has(column));
    if (found.length === columns.length) throw error;
    return ask(found);
  }
}
