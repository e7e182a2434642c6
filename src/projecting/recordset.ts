import { sql, type RawBuilder } from 'kysely';

/**
 * Rows as one parameter, to select from: a batch of any size is one statement with one plan, where a `values` list
 * would end at 65 535 parameters. `columns` names and types them as SQL does: `id uuid, likes int`.
 */
export function recordset(rows: readonly object[], columns: string): RawBuilder<unknown> {
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as given(${sql.raw(columns)})`;
}
