import type { JobWithMetadata, PgBoss } from 'pg-boss';

type Claim = Pick<JobWithMetadata, 'id' | 'retryCount'>;

/** @throws when this attempt is no longer the one that runs the job. */
export async function confirmClaim(boss: PgBoss, queue: string, job: JobWithMetadata<object>): Promise<void> {
  // A heartbeat changes a row only while this very attempt runs. The types of pg-boss leave out the answer.
  const { affected } = (await boss.touch(queue, job)) as { affected: number };
  if (affected === 0) throw new Error('another worker has this job by now');
}

/** Puts a job back, to be taken at once. Called before pg-boss records the failure, after which the job waits for a retry. */
export async function giveBack(boss: PgBoss, queue: string, job: Claim, message: string): Promise<void> {
  await boss.fail(queue, job, { message });
  await boss.update(queue, undefined, { id: job.id, startAfter: 0 });
}

/** Puts back all jobs that are marked as running. Only for a process that knows that no other one works on them. */
export async function takeOver(boss: PgBoss, schema: string, queue: string): Promise<void> {
  const { rows } = (await boss
    .getDb()
    .executeSql(`select id, retry_count as "retryCount" from ${schema}.job where name = $1 and state = 'active'`, [
      queue,
    ])) as { rows: Claim[] };
  for (const job of rows) await giveBack(boss, queue, job, 'its worker was killed');
}
