import { fromKysely, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { v5 } from 'uuid';
import type { ConsumerTransaction } from '../projecting/consumer.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import { takeOver } from './claims.ts';
import type { ObserveAttempt } from '../telemetry/jobMetrics.ts';
import { createQueue, namesOf, refuseSameNames } from './pgBossQueues.ts';
import type { NewJob, Queue, QueueWorker } from './queue.ts';
import { JOBS_SCHEMA } from './schema.ts';
import { openJobs } from './openJobs.ts';
import { BACKGROUND, lockTurns, prioritiesOf } from './turns.ts';
import { startWorker, type WorkerSettings } from './working.ts';

/** The caller's transaction: jobs come into being when it commits. */
export type JobTransaction = Pick<ConsumerTransaction, 'db'>;

export interface Jobs {
  /** Creates the tables and the queues. Jobs can be added after it. */
  start(): Promise<void>;
  add<Payload extends object>(
    queue: Queue<Payload>,
    jobs: readonly NewJob<NoInfer<Payload>>[],
    transaction: JobTransaction,
  ): Promise<void>;
  /**
   * Adds those of `jobs` whose payload has another value of `field` than every job that waits or runs. Returns, in the
   * order of `jobs`, the ids of the jobs that will run: new ones, and those that were there.
   */
  addUnlessOpen<Payload extends object>(
    queue: Queue<Payload>,
    jobs: readonly NewJob<NoInfer<Payload>>[],
    field: keyof NoInfer<Payload> & string,
    transaction: JobTransaction,
  ): Promise<string[]>;
  /**
   * Ends the jobs whose payload has the fields of any of `matches`. Those that wait never begin. One that runs, in any
   * process, is aborted within about two seconds and is not tried again.
   */
  cancel<Payload extends object>(
    queue: Queue<Payload>,
    matches: readonly Partial<NoInfer<Payload>>[],
    transaction: JobTransaction,
  ): Promise<void>;
  /** Begins to run jobs in this process. */
  work(workers: readonly QueueWorker[]): Promise<void>;
  /** Aborts the jobs that run here and gives them back to their queues, where another worker takes them at once. */
  close(): Promise<void>;
}

export interface JobsOptions {
  readonly connectionString: string;
  /** The most that are opened, with the one that hears notifications; 5 by default. */
  readonly connections?: number | undefined;
  readonly logger: Logger;
  readonly tracing?: Tracing;
  /** Every queue of every feature. */
  readonly queues: readonly Queue[];
  /**
   * No other process works on this database (the embedded profile). A job that is marked as running when this process
   * starts belonged to its killed predecessor. It is taken up at once; nobody waits until its heartbeat is missed.
   */
  readonly alone?: boolean;
  /** Seconds between two looks for jobs; 2 by default. Notifications make them unnecessary as long as they arrive. */
  readonly pollSeconds?: number;
  /** Told how each attempt ended. Must not throw. */
  readonly onAttempt?: ObserveAttempt | undefined;
}

/** Seconds between two looks for missed heartbeats. */
const LOOK = 5;
/** Options of the driver, which pg-boss passes on: a query on a connection that has gone silent ends after so many milliseconds. */
const goneSilent = { query_timeout: 60_000, keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * Jobs in PostgreSQL, run by pg-boss (docs/adr/0009, 0033, 0043). Features declare their queues (`queue.ts`); this engine
 * knows none of them by name.
 */
export function createJobs({
  connectionString,
  connections = 5,
  logger,
  tracing = noTracing,
  queues,
  alone = false,
  pollSeconds = 2,
  onAttempt = () => undefined,
}: JobsOptions): Jobs {
  refuseSameNames(queues);
  const boss = new PgBoss({
    ...goneSilent,
    connectionString,
    schema: JOBS_SCHEMA,
    application_name: 'reelstream jobs',
    max: connections - 1,
    useListenNotify: true,
    schedule: false,
    superviseIntervalSeconds: LOOK,
    monitorIntervalSeconds: LOOK,
    // Its spans begin traces of their own. A job is traced in `working.ts`.
    openTelemetry: { enabled: false },
  });
  boss.on('error', (error) => logger.warn({ err: error }, 'the job queue has a problem'));
  boss.on('warning', ({ message }) => logger.warn(message));
  const closing = new AbortController();
  const settings: WorkerSettings = {
    boss,
    schema: JOBS_SCHEMA,
    logger,
    tracing,
    pollSeconds,
    onAttempt,
    closing: closing.signal,
  };

  const add: Jobs['add'] = async ({ name, fair, delaySeconds, repeatAfterSeconds }, jobs, { db }) => {
    if (jobs.length === 0) return;
    const priorities = fair
      ? await prioritiesOf(db, name, jobs)
      : jobs.map(({ background }) => (background ? BACKGROUND : 0));
    const rows = jobs.map(({ id, ownerId, data }, n) => ({
      id,
      data,
      group: { id: ownerId },
      ...(priorities[n] !== 0 && { priority: priorities[n] }),
      ...(delaySeconds !== undefined && { startAfter: delaySeconds }),
    }));
    await boss.insert(name, rows, { db: fromKysely(db) });
    if (repeatAfterSeconds === undefined) return;
    const repeats = rows.map((row) => ({ ...row, id: v5('again', row.id), startAfter: repeatAfterSeconds }));
    await boss.insert(name, repeats, { db: fromKysely(db) });
  };

  return {
    add,
    addUnlessOpen: async (queue, jobs, field, transaction) => {
      const valueOf = ({ data }: (typeof jobs)[number]): string => String(data[field]);
      await lockTurns(transaction.db);
      const open = await openJobs(transaction.db, queue.name, field, jobs.map(valueOf));
      await add(
        queue,
        jobs.filter((job) => !open.has(valueOf(job))),
        transaction,
      );
      return jobs.map((job) => open.get(valueOf(job)) ?? job.id);
    },
    start: async () => {
      await boss.start();
      for (const queue of queues) await createQueue(boss, queue);
      if (alone) for (const name of queues.flatMap(namesOf)) await takeOver(boss, JOBS_SCHEMA, name);
    },
    cancel: async ({ name }, matches, { db: transaction }) => {
      const db = fromKysely(transaction);
      for (const data of matches) {
        const ids = (await boss.findJobs(name, { data, db })).map(({ id }) => id);
        if (ids.length > 0) await boss.cancel(name, ids, { db });
      }
    },
    work: async (workers) => {
      for (const { queue, giveUp } of workers)
        if (queue.givesUp && giveUp === undefined)
          throw new Error(`the worker of the queue ${queue.name} needs giveUp`);
      for (const worker of workers) await startWorker(worker, settings);
    },
    close: async () => {
      closing.abort(new Error('this worker is stopping'));
      await boss.stop({ graceful: true, timeout: 10_000 });
    },
  };
}
