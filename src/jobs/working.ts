import type { JobWithMetadata, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { createCountedAttempts } from './attempts.ts';
import { confirmClaim, giveBack } from './claims.ts';
import { deadLettersOf } from './pgBossQueues.ts';
import type { JobRun, QueueWorker } from './queue.ts';

export interface WorkerSettings {
  readonly boss: PgBoss;
  readonly schema: string;
  readonly logger: Logger;
  readonly pollSeconds: number;
  /** Aborted when this process stops. */
  readonly closing: AbortSignal;
}

type StoredJob = JobWithMetadata<{ readonly killed?: number }>;
type Attempt = (payload: object, run: JobRun) => Promise<void>;

/** Seconds between two heartbeats of a running job. With each, its worker learns whether the job was cancelled. */
const HEARTBEAT_REFRESH = 2;

/** Runs the jobs of one queue, and gives up those that failed or were killed too often. */
export async function startWorker(worker: QueueWorker, settings: WorkerSettings): Promise<void> {
  const { queue, concurrency = 1 } = worker;
  const { boss, schema } = settings;
  const attempts = createCountedAttempts(boss, schema, queue.name);
  const handle = (job: StoredJob): Promise<void> =>
    runAttempt(worker, queue.name, job, settings, (payload, run) =>
      queue.givesUp
        ? attempts.run(
            job,
            () => worker.handle(payload, run),
            (cause) => worker.giveUp!(payload, { cause, killed: true }),
          )
        : worker.handle(payload, run),
    );
  for (let n = 0; n < concurrency; n++) await listen(queue.name, settings, handle);
  if (!queue.givesUp) return;
  const dead = deadLettersOf(queue);
  await listen(dead, settings, (job) =>
    runAttempt(worker, dead, job, settings, (payload) =>
      worker.giveUp!(payload, { cause: job.sourceOutput, killed: false }),
    ),
  );
}

async function listen(
  name: string,
  { boss, pollSeconds }: WorkerSettings,
  handle: (job: StoredJob) => Promise<void>,
): Promise<void> {
  const options = {
    includeMetadata: true,
    pollingIntervalSeconds: pollSeconds,
    notifyPollingIntervalSeconds: pollSeconds,
    heartbeatRefreshSeconds: HEARTBEAT_REFRESH,
  } as const;
  let worker: string | undefined = undefined;
  worker = await boss.work(name, options, async ([job]: StoredJob[]) => {
    // The worker looks for the next job as soon as it is done with this one, not at the next poll.
    if (worker !== undefined) boss.notifyWorker(worker);
    if (job !== undefined) await handle(job);
  });
}

async function runAttempt(
  { queue }: QueueWorker,
  name: string,
  job: StoredJob,
  { boss, logger, closing }: WorkerSettings,
  attempt: Attempt,
): Promise<void> {
  const { killed: _, ...payload } = job.data;
  try {
    const signal = AbortSignal.any([job.signal, closing]);
    await attempt(payload, { signal, confirmClaim: () => confirmClaim(boss, name, job) });
  } catch (error) {
    const jobLogger = logger.child({ queue: name, ...queue.logFields(payload), attempt: job.retryCount + 1 });
    if (closing.aborted) await giveBack(boss, name, job, 'handed back by a worker that stopped');
    else if (job.signal.aborted) jobLogger.info('a job was cancelled, or another worker has it by now');
    else jobLogger.warn({ err: error }, 'a job failed and will be tried again');
    throw error;
  }
}
