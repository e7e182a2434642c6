import { CompiledQuery, type Kysely } from 'kysely';
import { definitions } from './recordset.ts';
import type { Columns, NewRow, Table } from './table.ts';

/** What happens to a row whose key the table has already. Columns that no option names take the new value. */
export interface OnConflict<Column extends string> {
  /** Columns to which the new value is added. */
  readonly add?: readonly Column[];
  /** Columns that keep the value they have. */
  readonly keep?: readonly Column[];
  /** The row changes only if its new value in this column is greater than the present one. */
  readonly onlyIfGreater?: Column;
}

/**
 * Inserts rows into a projection's table, or changes the rows that have the same primary key, in one statement with one
 * JSON parameter. Rows are written in the order of the key, so that two writers cannot deadlock. No two rows may have
 * the same key: fold them into one first.
 */
export async function upsert<Cols extends Columns>(
  db: Pick<Kysely<unknown>, 'executeQuery'>,
  table: Table<string, Cols>,
  rows: readonly NewRow<Cols>[],
  onConflict: OnConflict<keyof Cols & string> = {},
): Promise<void> {
  if (rows.length === 0) return;
  await db.executeQuery(CompiledQuery.raw(statement(table, onConflict), [JSON.stringify(rows)]));
}

/** Made as text, because Kysely would build and compile the same statement anew for each batch. */
function statement(table: Table, { add = [], keep = [], onlyIfGreater }: OnConflict<string>): string {
  const columns = Object.keys(table.columns);
  const changes = columns
    .filter((column) => !table.primaryKey.includes(column) && !keep.includes(column))
    .map((column) =>
      add.includes(column)
        ? `"${column}" = "${table.name}"."${column}" + excluded."${column}"`
        : `"${column}" = excluded."${column}"`,
    );
  const key = names(table.primaryKey);
  const guard =
    onlyIfGreater === undefined ? '' : `where excluded."${onlyIfGreater}" > "${table.name}"."${onlyIfGreater}"`;
  return `
    insert into "${table.name}" (${names(columns)})
    select ${names(columns)} from json_to_recordset($1::json) as given(${definitions(table.columns)})
    order by ${key}
    on conflict (${key}) do update set ${changes.join(', ')} ${guard}`;
}

const names = (columns: readonly string[]): string => columns.map((column) => `"${column}"`).join(', ');
