import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../../../projections/timeline/tables.ts';
import type { PastQuestion } from './asOfQuery.ts';

// All of this is raw SQL, because the tables of totals have different columns and keys.

/**
 * The total in a row `t` of a table of totals, as it was at the position. Most rows have it themselves; for the others it
 * is in `timeline.facts`.
 */
export function totalAt({ table, running }: Scope, position: bigint): RawBuilder<number> {
  const sameKey = table.primaryKey.map((column) => sql`f.${sql.ref(column)} = t.${sql.ref(column)}`);
  return sql<number>`case when t.last_position <= ${position} then t.total else (
    select f.${sql.ref(running)} from timeline.facts f
    where ${sql.join(sameKey, sql` and `)} and f.position <= ${position} order by f.position desc limit 1) end`;
}

/** The rows `t` of a table of totals that the question is about and that existed at the position. */
export function rowsAsked(
  { table }: Scope,
  { ownerId, videoId, start, end, position }: Omit<PastQuestion, 'isWhole'>,
): RawBuilder<unknown> {
  const conditions = [sql`t.owner_id = ${ownerId}`, sql`t.first_position <= ${position}`];
  if ('day' in table.columns) conditions.push(sql`t.day between ${start} and ${end}`);
  if (videoId !== undefined) conditions.push(sql`t.video_id = ${videoId}`);
  return sql`${sql.table(`timeline.${table.name}`)} t where ${sql.join(conditions, sql` and `)}`;
}
