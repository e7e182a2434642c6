import { CompiledQuery, type Kysely } from 'kysely';
import { changesOf, type Changes, type OnConflict } from './changes.ts';
import { gatheredRowsOf } from './gatheredRows.ts';
import { definitions } from './recordset.ts';
import type { Statement } from '../statement.ts';
import type { Columns, NewRow, Table } from './table.ts';

export type { OnConflict } from './changes.ts';

/**
 * Inserts rows into a projection's table, or changes the rows that have the same primary key, in one statement with one
 * JSON parameter. Rows are written in the order of the key, so that two writers cannot deadlock. No two rows may have
 * the same key: fold them into one first.
 *
 * A rebuild gathers the rows of many batches, and merges those with the same key, before it writes them.
 */
export async function upsert<Cols extends Columns>(
  db: Pick<Kysely<unknown>, 'executeQuery'>,
  table: Table<string, Cols>,
  rows: readonly NewRow<Cols>[],
  onConflict: OnConflict<keyof Cols & string> = {},
): Promise<void> {
  if (rows.length === 0) return;
  const changes = changesOf(table, onConflict);
  const gathered = gatheredRowsOf(db);
  if (gathered !== undefined) await gathered.add(table, rows, changes);
  else await writeRows(db, table, rows, changes);
}

export async function writeRows(
  db: Pick<Kysely<unknown>, 'executeQuery'>,
  table: Table,
  rows: readonly object[],
  changes: Changes,
): Promise<void> {
  const { text, values } = upsertStatement(table, rows, changes);
  await db.executeQuery(CompiledQuery.raw(text, [...values]));
}

export function upsertStatement(table: Table, rows: readonly object[], changes: Changes): Statement {
  return { text: statementOf(table, changes), values: [JSON.stringify(rows)] };
}

/** Made as text, because Kysely would build and compile the same statement anew for each batch. */
function statementOf(table: Table, { of, onlyIfGreater, insert }: Changes): string {
  const key = table.primaryKey;
  const present = (column: string): string => `"${table.name}"."${column}"`;
  const given = (column: string): string => `${insert ? 'excluded' : 'given'}."${column}"`;
  const changes = of
    .filter(([, change]) => change !== 'keep')
    .map(([column, change]) => {
      if (change === 'add') return `"${column}" = ${present(column)} + ${given(column)}`;
      if (change === 'greatest') return `"${column}" = greatest(${present(column)}, ${given(column)})`;
      return `"${column}" = ${given(column)}`;
    })
    .join(', ');
  const conditions = onlyIfGreater === undefined ? [] : [`${given(onlyIfGreater)} > ${present(onlyIfGreater)}`];
  const rows = `json_to_recordset($1::json) as given(${definitions(table.columns)})`;
  if (!insert)
    return `
      update "${table.name}" set ${changes} from ${rows}
      where ${[...key.map((column) => `${present(column)} = ${given(column)}`), ...conditions].join(' and ')}`;
  const columns = names(Object.keys(table.columns));
  return `
    insert into "${table.name}" (${columns}) select ${columns} from ${rows} order by ${names(key)}
    on conflict (${names(key)}) do update set ${changes} ${conditions.map((condition) => `where ${condition}`).join('')}`;
}

const names = (columns: readonly string[]): string => columns.map((column) => `"${column}"`).join(', ');
