import { sql, type AliasedRawBuilder } from 'kysely';
import type { Columns, NewRow, Row } from './table.ts';

/**
 * Rows as one JSON parameter, to select from under the name `given`: a batch of any size is one statement with one plan,
 * where a `values` list would end at 65 535 parameters.
 */
export function recordset<Cols extends Columns>(
  columns: Cols,
  rows: readonly NewRow<Cols>[],
): AliasedRawBuilder<Row<Cols>, 'given'> {
  return sql<Row<Cols>>`json_to_recordset(${JSON.stringify(rows)}::json)`.as<'given'>(
    sql.raw(`given(${definitions(columns)})`),
  );
}

/** The columns with their types, as `json_to_recordset` needs them. Kysely has no builder for this list. */
export function definitions(columns: Columns): string {
  return Object.entries(columns)
    .map(([name, { type }]) => `"${name}" ${String(type)}`)
    .join(', ');
}
