import type { PgBoss } from 'pg-boss';

/** One try of one job. */
export interface Attempt {
  readonly id: string;
  readonly retryCount: number;
}

/** Something outside of this process (the kernel, short of memory; an operator) ended what a job was running. */
export class AttemptKilled extends Error {
  constructor(cause: Error) {
    // The message does not repeat the cause: loggers print it too.
    super('something outside ended the attempt', { cause });
    this.name = 'AttemptKilled';
  }
}

/** A job that was killed so often will most likely be killed again, and other jobs wait meanwhile. */
const MOST_KILLED = 3;

export interface CountedAttempts {
  /**
   * Runs `work`, or `giveUp` when the job has been killed too often: with its worker, or without it (`AttemptKilled`).
   * `cause` says how the last attempt ended. An attempt that ends in any other way does not count.
   * @throws what `work` or `giveUp` throws; an error when the job is no longer this worker's
   */
  run<Result>(
    attempt: Attempt,
    work: () => Promise<Result>,
    giveUp: (cause: Error) => Promise<Result>,
  ): Promise<Result>;
}

/**
 * A killed process cannot report it. Therefore each attempt counts as killed from its start until it ends by itself. The
 * count is in the job's own row (`data.killed`), which pg-boss keeps between attempts and finally deletes.
 */
export function createCountedAttempts(boss: PgBoss, schema: string, queue: string): CountedAttempts {
  const add = async ({ id, retryCount }: Attempt, change: number): Promise<number | undefined> => {
    const { rows } = (await boss.getDb().executeSql(
      `update ${schema}.job set data = data || jsonb_build_object('killed', greatest(coalesce((data->>'killed')::int, 0) + $4::int, 0))
       where name = $1 and id = $2 and retry_count = $3 and state = 'active' returning (data->>'killed')::int as killed`,
      [queue, id, retryCount, change],
    )) as { rows: { killed: number }[] };
    return rows[0]?.killed;
  };
  return {
    run: async (attempt, work, giveUp) => {
      const killed = await add(attempt, 1);
      if (killed === undefined) throw new Error('another worker has this job by now, or it was cancelled');
      try {
        return await (killed > MOST_KILLED
          ? giveUp(new Error('the worker of the last attempt was killed, or lost its connection to PostgreSQL'))
          : work());
      } catch (error) {
        if (error instanceof AttemptKilled && killed >= MOST_KILLED) return await giveUp(error);
        // If PostgreSQL is away here, the attempt stays counted: an outage in the middle of a job costs one of the three.
        if (!(error instanceof AttemptKilled)) await add(attempt, -1).catch(() => undefined);
        throw error;
      }
    },
  };
}
