import type { PgBoss } from 'pg-boss';

/** One try of one job. */
export interface Attempt {
  readonly id: string;
  readonly retryCount: number;
}

/** Something outside (the kernel, short of memory; an operator) ended what a job was running. */
export class AttemptKilled extends Error {
  constructor(cause: Error) {
    // Without the cause's message: loggers add that themselves.
    super('something outside ended the attempt', { cause });
    this.name = 'AttemptKilled';
  }
}

/** A file on which FFmpeg or the whole worker is killed this often will most likely be killed again, and others wait meanwhile. */
const MOST_KILLED = 3;

export interface CountedAttempts {
  /**
   * Runs `work`, or `giveUp` when the job has been killed too often, with its worker or without it (`AttemptKilled`);
   * `cause` is how the last attempt ended.
   * An attempt that ends in any other way does not count. @throws what they throw, or that the job is no longer this worker's
   */
  run(attempt: Attempt, work: () => Promise<void>, giveUp: (cause: Error) => Promise<void>): Promise<void>;
}

/**
 * A process that is killed cannot say so: each attempt counts as killed from its beginning until it ends by itself. The count
 * lies in the job's own row, which pg-boss keeps from try to try and deletes in the end.
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
        await (killed > MOST_KILLED
          ? giveUp(new Error('the worker of the last attempt was killed, or lost PostgreSQL'))
          : work());
      } catch (error) {
        if (error instanceof AttemptKilled && killed >= MOST_KILLED) return giveUp(error);
        // With PostgreSQL away it stays counted: an outage in the middle of a job costs one of the three.
        if (!(error instanceof AttemptKilled)) await add(attempt, -1).catch(() => undefined);
        throw error;
      }
    },
  };
}
