import type { JobWithMetadata, PgBoss } from 'pg-boss';

/** Seconds that a failed job is kept. Operators look at failures later than at what went well. */
const KEPT = 7 * 24 * 3600;

/** Lets pg-boss keep a job for longer after its end. Call it before the attempt ends. */
export async function keepFailed(
  boss: PgBoss,
  schema: string,
  { name, id }: Pick<JobWithMetadata, 'name' | 'id'>,
): Promise<void> {
  await boss
    .getDb()
    .executeSql(`update ${schema}.job set deletion_seconds = $3 where name = $1 and id = $2`, [name, id, KEPT]);
}
