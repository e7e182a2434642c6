import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { CommandContext } from '../core/commandContext.ts';
import { DomainError } from '../core/errors.ts';
import { isMissingTable } from '../postgres/missingTable.ts';
import type { QueueDepth } from '../telemetry/jobMetrics.ts';
import type { JobRetried, JobRetry } from './jobRetry.ts';
import type { Queue } from './queue.ts';
import { toJob, type Job, type JobRow, type JobState } from './jobRow.ts';
import { JOBS_SCHEMA } from './schema.ts';

/** The jobs of all queues, for people. They are kept for a day after their end; those that failed, for a week. */
export interface JobList {
  /** The newest first. */
  page(filter: JobFilter): Promise<JobPage>;
  /** How many jobs there are in each state: of those with these ids, or of all. */
  counts(ids?: readonly string[]): Promise<Readonly<Record<JobState, number>>>;
  /** What each queue holds that has not been done. Does not look at jobs that have ended well. */
  depths(): Promise<QueueDepth[]>;
  /**
   * Runs a failed job again: as its feature does it, or by putting the job back into its queue, where a worker finds it
   * within about two seconds.
   * @throws DomainError `job_not_found`, `job_not_failed`, and those of the feature
   */
  retry(id: string, context: CommandContext): Promise<JobRetried>;
}

export interface JobFilter {
  readonly state?: JobState;
  readonly queue?: string;
  /** Of the jobs. */
  readonly ids?: readonly string[];
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

export interface JobListOptions {
  readonly db: Kysely<never>;
  /** Every queue of every feature. */
  readonly queues: readonly Queue[];
  /** Queues whose jobs are not simply put back. */
  readonly retries: readonly JobRetry[];
}

/** The time at which the job was added in microseconds, and its id. */
export const JOB_CURSOR = /^\d{1,17}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const table = sql.table(`${JOBS_SCHEMA}.job`);
/** A job whose worker recorded a failure has done its work for pg-boss, and has failed for people. */
const state = sql<JobState>`
  case state when 'active' then 'running' when 'cancelled' then 'cancelled' when 'failed' then 'failed'
    when 'completed' then case when output ? 'failed' then 'failed' else 'done' end else 'waiting' end`;
const addedAt = sql<bigint>`(extract(epoch from created_on) * 1000000)::bigint`;

export function createJobList({ db, queues, retries }: JobListOptions): JobList {
  const names = queues.map(({ name }) => name);
  const queueOf = (name: string): Queue => queues.find((queue) => queue.name === name)!;

  const select = (where: RawBuilder<unknown>, limit: number): Promise<JobRow[]> =>
    orNone(
      sql<JobRow>`
        select id, name as queue, ${state} as state, group_id as "ownerId", data, retry_count as "retryCount", output,
          created_on as "createdAt", started_on as "startedAt", completed_on as "endedAt", start_after as "dueAt",
          now() as now, ${addedAt} as "addedAt"
        from ${table} where name = any(${names}) and ${where}
        order by created_on desc, id desc limit ${limit}`.execute(db),
    );

  /** Puts a failed job back, with as many attempts as a new one has. Returns whether it was failed. */
  async function putBack({ id, queue }: Job): Promise<boolean> {
    const { limit } = queueOf(queue).retries;
    const { numAffectedRows } = await sql`
      update ${table}
      set state = 'retry', retry_limit = retry_count + 1 + ${limit}, start_after = now(), completed_on = null,
        keep_until = greatest(keep_until, now() + interval '14 days'), output = null, data = data - 'killed'
      where name = ${queue} and id = ${id} and ${state} = 'failed'`.execute(db);
    return numAffectedRows === 1n;
  }

  return {
    async page({ state: wanted, queue, ids, cursor, limit }) {
      const conditions = [
        ...(wanted === undefined ? [] : [sql`${state} = ${wanted}`]),
        ...(queue === undefined ? [] : [sql`name = ${queue}`]),
        ...(ids === undefined ? [] : [isAmong(ids)]),
        ...(cursor === undefined ? [] : [isBehind(cursor)]),
        sql`true`,
      ];
      const rows = await select(sql.join(conditions, sql` and `), limit + 1);
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return {
        jobs: shown.map((row) => toJob(row, queueOf(row.queue))),
        nextCursor: last && `${last.addedAt}_${last.id}`,
      };
    },

    async counts(ids) {
      const wanted = ids === undefined ? sql`true` : isAmong(ids);
      const found = await orNone(
        sql<{ state: JobState; jobs: bigint }>`
          select ${state} as state, count(*) as jobs from ${table} where name = any(${names}) and ${wanted} group by 1`.execute(
          db,
        ),
      );
      const none = { waiting: 0, running: 0, failed: 0, done: 0, cancelled: 0 };
      return { ...none, ...Object.fromEntries(found.map(({ state: of, jobs }) => [of, Number(jobs)])) };
    },

    async depths() {
      const found = await orNone(
        sql<QueueDepth>`
          select name as queue, count(*) filter (where state in ('created', 'retry'))::int as waiting,
            count(*) filter (where state = 'active')::int as running,
            count(*) filter (where state = 'failed')::int as failed,
            greatest(0, coalesce(extract(epoch from now() - min(start_after) filter (where state in ('created', 'retry'))), 0))::float8
              as "oldestSeconds"
          from ${table} where name = any(${names}) and state in ('created', 'retry', 'active', 'failed') group by 1`.execute(
          db,
        ),
      );
      const empty = { waiting: 0, running: 0, failed: 0, oldestSeconds: 0 };
      return names.map((queue) => found.find((depth) => depth.queue === queue) ?? { queue, ...empty });
    },

    async retry(id, context) {
      const [row] = UUID.test(id) ? await select(sql`id = ${id}`, 1) : [];
      if (row === undefined) throw jobNotFound();
      const job = toJob(row, queueOf(row.queue));
      if (job.state !== 'failed') throw notFailed(job.state);
      const own = retries.find(({ queue }) => queue.name === job.queue);
      if (own !== undefined) return own.retry(job.payload, context);
      if (!(await putBack(job))) throw notFailed('waiting');
      return { id: job.id, appended: undefined };
    },
  };
}

function isAmong(ids: readonly string[]): RawBuilder<unknown> {
  return sql`id = any(${ids}::uuid[])`;
}

function isBehind(cursor: string): RawBuilder<unknown> {
  const [micros, id] = cursor.split('_');
  return sql`(${addedAt}, id) < (${micros}::bigint, ${id}::uuid)`;
}

/** Before a process that works has run for the first time there are no jobs, and no table of them. */
async function orNone<Row>(reading: Promise<{ rows: Row[] }>): Promise<Row[]> {
  try {
    return (await reading).rows;
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}

function jobNotFound(): DomainError {
  return new DomainError(
    'notFound',
    'job_not_found',
    'There is no such job. Finished jobs are kept for a day, failed ones for a week.',
  );
}

function notFailed(found: JobState): DomainError {
  return new DomainError('conflict', 'job_not_failed', `Only a failed job can be retried; this one is ${found}.`);
}
