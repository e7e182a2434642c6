import { sql, type Kysely } from 'kysely';
import { JOBS_SCHEMA } from './schema.ts';

/** The ids of the jobs in a queue that wait or run, keyed by the value of one field of their payload. Of several, the oldest. */
export async function openJobs(
  db: Kysely<never>,
  queue: string,
  field: string,
  values: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ value: string; id: string }>`
    select distinct on (value) data ->> ${field} as value, id from ${sql.table(`${JOBS_SCHEMA}.job`)}
    where name = ${queue} and state in ('created', 'retry', 'active') and data ->> ${field} = any(${values})
    order by value, created_on`.execute(db);
  return new Map(rows.map(({ value, id }) => [value, id]));
}
