import type { Logger } from 'pino';
import type pg from 'pg';
import { PgBoss, type JobWithMetadata } from 'pg-boss';
import { v5 } from 'uuid';
import { createCountedAttempts } from './attempts.ts';
import { giveTurns, readTurns } from './turns.ts';

/** What a job needs to know; the rest is in the video's stream. */
export interface MediaJob {
  readonly videoId: string;
  readonly correlationId: string;
  /** The event that led to the job. */
  readonly causationId: string;
  readonly traceparent?: string;
}

export interface NewMediaJob {
  /** UUID. A job whose id is in the queue already is not added again. */
  readonly id: string;
  /** Whose turn the job takes. */
  readonly ownerId: string;
  readonly data: MediaJob;
}

/** Throws when the job is no longer this worker's, as after a stop of minutes in which another one took it. */
export type ConfirmClaim = () => Promise<void>;

/**
 * Runs one job. It must be safe to repeat. Aborted: the job was cancelled, is someone else's now, or goes back to the queue.
 * @throws AttemptKilled when something outside ended its work
 */
export type MediaJobHandler = (job: MediaJob, signal: AbortSignal, confirmClaim: ConfirmClaim) => Promise<void>;

/** Records that a `process` job is not tried again. `cause` is how its last attempt ended: an error, or what the queue kept of it. */
export type GiveUpHandler = (job: MediaJob, cause: unknown) => Promise<void>;

export interface MediaJobHandlers {
  readonly process: MediaJobHandler;
  readonly remove: MediaJobHandler;
  /** A `process` job that has failed as often as it may. */
  readonly giveUp: GiveUpHandler;
  /** A `process` job that was killed, with its worker or without it, as often as it may be. */
  readonly giveUpKilled: GiveUpHandler;
}

/** With what attempts.ts keeps in it. */
type StoredJob = MediaJob & { readonly killed?: number };

type QueueName = 'process' | 'remove';

export interface MediaJobs {
  /** Makes queues and tables; after it, jobs can be added. */
  start(): Promise<void>;
  /** Adds jobs in the caller's transaction. Users take turns in the queue `process`, whatever the number of their jobs. */
  add(queue: QueueName, jobs: readonly NewMediaJob[], client: pg.ClientBase): Promise<void>;
  /**
   * Ends the `process` jobs of videos, in the caller's transaction. Those that wait never begin. One that runs, in any
   * process, is aborted within some two seconds, and is not tried again.
   */
  cancel(videoIds: readonly string[], client: pg.ClientBase): Promise<void>;
  work(handlers: MediaJobHandlers, options?: { readonly concurrency?: number }): Promise<void>;
  /** Aborts what runs here and gives it back to the queue, for another worker to take at once. */
  close(): Promise<void>;
}

export interface MediaJobsOptions {
  readonly connectionString: string;
  readonly logger: Logger;
  /**
   * No other process works on this database (the embedded profile): what is marked as running when this one starts was
   * running when its predecessor was killed, and is taken up at once instead of when its heartbeat is missed.
   */
  readonly alone?: boolean;
  /** How often a job is tried again, and after how many seconds at first; 20 and 1 by default. */
  readonly retries?: { readonly retryLimit: number; readonly retryDelay: number };
  /** Seconds between two looks for jobs, which nobody has to wait for as long as notifications arrive; 2 by default. */
  readonly pollSeconds?: number;
}

const SCHEMA = 'reelstream_jobs';
const DEAD = 'process-dead';
/**
 * Seconds. A worker that was killed is noticed after the heartbeat plus the time between two looks. A worker notices at its
 * next refresh that its job was cancelled.
 */
const HEARTBEAT = { heartbeatSeconds: 15, refresh: 2, look: 5 };
/** Seconds. Twenty tries over some 40 minutes: an engine may well be away for that long. */
const RETRIES = { retryLimit: 20, retryDelay: 1, retryBackoff: true, retryDelayMax: 180 };
/** Seconds after which a deleted video's objects are removed once more. Until then a worker has ended that was processing it. */
const REMOVED_AGAIN = 60;
/** Seconds: the longest transcode plus its transfers. */
const LONGEST = 20 * 60;

/** For the driver, to which pg-boss hands it on: a connection that has gone silent is given up after so many milliseconds. */
const goneSilent = { query_timeout: 60_000, keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/** The media pipeline's jobs, in PostgreSQL (docs/adr/0009, docs/adr/0033). */
export function createMediaJobs({
  connectionString,
  logger,
  alone = false,
  retries,
  pollSeconds = 2,
}: MediaJobsOptions): MediaJobs {
  const boss = new PgBoss({
    ...goneSilent,
    connectionString,
    schema: SCHEMA,
    application_name: 'reelstream jobs',
    max: 4,
    useListenNotify: true,
    schedule: false,
    superviseIntervalSeconds: HEARTBEAT.look,
    monitorIntervalSeconds: HEARTBEAT.look,
  });
  boss.on('error', (error) => logger.warn({ err: error }, 'the job queue has a problem'));
  boss.on('warning', ({ message }) => logger.warn(message));
  const closing = new AbortController();
  const attempts = createCountedAttempts(boss, SCHEMA, 'process');

  const start = async (): Promise<void> => {
    await boss.start();
    const common = {
      ...RETRIES,
      ...retries,
      heartbeatSeconds: HEARTBEAT.heartbeatSeconds,
      expireInSeconds: LONGEST,
      notify: true,
      deleteAfterSeconds: 24 * 3600,
    };
    await makeQueue(boss, DEAD, common);
    await makeQueue(boss, 'process', { ...common, deadLetter: DEAD });
    await makeQueue(boss, 'remove', common);
    if (alone) await takeOver(boss);
  };

  const run =
    (
      queue: string,
      work: (attempt: JobWithMetadata<StoredJob>, ...given: Parameters<MediaJobHandler>) => Promise<void>,
    ) =>
    async ([job]: JobWithMetadata<StoredJob>[]): Promise<void> => {
      if (job === undefined) return;
      const { killed: _, ...data } = job.data;
      const log = logger.child({ queue, videoId: data.videoId, attempt: job.retryCount + 1 });
      try {
        await work(job, data, AbortSignal.any([job.signal, closing.signal]), () => confirmClaim(boss, queue, job));
      } catch (error) {
        if (closing.signal.aborted) await giveBack(boss, queue, job);
        else if (job.signal.aborted) log.info('a media job was cancelled, or another worker has it by now');
        else log.warn({ err: error }, 'a media job failed and will be tried again');
        throw error;
      }
    };

  const work = async (queue: string, handle: (jobs: JobWithMetadata<StoredJob>[]) => Promise<void>): Promise<void> => {
    const options = {
      includeMetadata: true,
      pollingIntervalSeconds: pollSeconds,
      notifyPollingIntervalSeconds: pollSeconds,
      heartbeatRefreshSeconds: HEARTBEAT.refresh,
    } as const;
    let worker: string | undefined = undefined;
    worker = await boss.work(queue, options, async (jobs: JobWithMetadata<StoredJob>[]) => {
      // It looks for the next job when it is done with this one, instead of when it is time for another poll.
      if (worker !== undefined) boss.notifyWorker(worker);
      await handle(jobs);
    });
  };

  return {
    start,
    add: async (queue, jobs, client) => {
      if (jobs.length === 0) return;
      const owners = jobs.map(({ ownerId }) => ownerId);
      const turns = queue === 'process' ? giveTurns(owners, await readTurns(client, SCHEMA, queue, owners)) : [];
      const rows = jobs.map(({ id, ownerId, data }, n) => ({
        id,
        data,
        group: { id: ownerId },
        ...(turns[n] !== undefined && { priority: -turns[n] }),
      }));
      await boss.insert(queue, rows, { db: through(client) });
      // Once more: a worker that was storing something when it was killed could not remove it any more.
      if (queue === 'remove')
        await boss.insert(
          queue,
          rows.map((row) => ({ ...row, id: v5('again', row.id), startAfter: REMOVED_AGAIN })),
          { db: through(client) },
        );
    },
    cancel: async (videoIds, client) => {
      const db = through(client);
      for (const videoId of videoIds) {
        const jobs = await boss.findJobs('process', { data: { videoId }, db });
        if (jobs.length > 0)
          await boss.cancel(
            'process',
            jobs.map(({ id }) => id),
            { db },
          );
      }
    },
    work: async (handlers, { concurrency = 1 } = {}) => {
      const process = run('process', (attempt, ...given) =>
        attempts.run(
          attempt,
          () => handlers.process(...given),
          (cause) => handlers.giveUpKilled(given[0], cause),
        ),
      );
      for (let n = 0; n < concurrency; n++) await work('process', process);
      await work(
        'remove',
        run('remove', (_, ...given) => handlers.remove(...given)),
      );
      await work(
        DEAD,
        run(DEAD, ({ sourceOutput }, data) => handlers.giveUp(data, sourceOutput)),
      );
    },
    close: async () => {
      closing.abort(new Error('this worker is stopping'));
      await boss.stop({ graceful: true, timeout: 10_000 });
    },
  };
}

/** pg-boss in somebody else's transaction. */
function through(client: pg.ClientBase): { executeSql: (text: string, values?: unknown[]) => Promise<pg.QueryResult> } {
  return { executeSql: (text, values) => client.query(text, values) };
}

async function makeQueue(boss: PgBoss, name: string, options: Parameters<PgBoss['createQueue']>[1]): Promise<void> {
  await boss.createQueue(name, options);
  const { deadLetter: _, ...changeable } = options ?? {};
  await boss.updateQueue(name, changeable);
}

async function confirmClaim(boss: PgBoss, queue: string, job: JobWithMetadata<MediaJob>): Promise<void> {
  // A heartbeat, which counts for nothing unless this very attempt is still running. The type leaves out what is answered.
  const { affected } = (await boss.touch(queue, job)) as { affected: number };
  if (affected === 0) throw new Error('another worker has this job by now');
}

/** Ahead of pg-boss, which would let it wait for its retry delay. */
async function giveBack(boss: PgBoss, queue: string, job: JobWithMetadata<MediaJob>): Promise<void> {
  await boss.fail(queue, job, { message: 'handed back by a worker that stopped' });
  await boss.update(queue, undefined, { id: job.id, startAfter: 0 });
}

async function takeOver(boss: PgBoss): Promise<void> {
  for (const queue of ['process', 'remove', DEAD]) {
    const { rows } = await boss
      .getDb()
      .executeSql(`select id, retry_count as "retryCount" from ${SCHEMA}.job where name = $1 and state = 'active'`, [
        queue,
      ]);
    for (const { id, retryCount } of rows as { id: string; retryCount: number }[]) {
      await boss.fail(queue, { id, retryCount }, { message: 'its worker was killed' });
      await boss.update(queue, undefined, { id, startAfter: 0 });
    }
  }
}
