import { sql, type RawBuilder } from 'kysely';

/**
 * Rows as one parameter, to select from. A batch of any size is one statement with one plan, while a `values` list is
 * limited to 65 535 parameters. `columns` has names and types as in SQL: `id uuid, likes int`.
 */
export function recordset(rows: readonly object[], columns: string): RawBuilder<unknown> {
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as given(${sql.raw(columns)})`;
}
