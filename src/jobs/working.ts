import type { JobWithMetadata, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Tracing } from '../telemetry/tracing.ts';
import type { AttemptOutcome, ObserveAttempt } from '../telemetry/jobMetrics.ts';
import { createCountedAttempts } from './attempts.ts';
import { confirmClaim, giveBack } from './claims.ts';
import { deadLettersOf } from './pgBossQueues.ts';
import { keepFailed } from './keepFailed.ts';
import type { JobRun, QueueWorker, RecordedFailure } from './queue.ts';

export interface WorkerSettings {
  readonly boss: PgBoss;
  readonly schema: string;
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly pollSeconds: number;
  readonly onAttempt: ObserveAttempt;
  /** Aborted when this process stops. */
  readonly closing: AbortSignal;
}

/** `traceparent`: where features keep it in their payloads. */
type StoredJob = JobWithMetadata<{ readonly killed?: number; readonly traceparent?: string }>;
type Result = RecordedFailure | void;
type Attempt = (payload: object, run: JobRun) => Promise<Result>;

/** Seconds between two heartbeats of a running job. With each, its worker learns whether the job was cancelled. */
const HEARTBEAT_REFRESH = 2;

/** Runs the jobs of one queue, and gives up those that failed or were killed too often. */
export async function startWorker(worker: QueueWorker, settings: WorkerSettings): Promise<void> {
  const { queue, concurrency = 1 } = worker;
  const { boss, schema } = settings;
  const attempts = createCountedAttempts(boss, schema, queue.name);
  const handle = (job: StoredJob): Promise<Result> =>
    runAttempt(worker, queue.name, job, settings, (payload, run) =>
      queue.givesUp
        ? attempts.run(
            job,
            () => worker.handle(payload, run),
            async (cause) => {
              await worker.giveUp!(payload, { cause, killed: true });
              return { failed: reasonOf(cause) };
            },
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
  handle: (job: StoredJob) => Promise<Result>,
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
    // pg-boss keeps the result as the job's output.
    return job === undefined ? undefined : handle(job);
  });
}

/** Runs an attempt in a span of the job's trace. What the job causes continues from that span. */
function runAttempt(
  worker: QueueWorker,
  name: string,
  job: StoredJob,
  settings: WorkerSettings,
  attempt: Attempt,
): Promise<Result> {
  const { tracing } = settings;
  const attributes = {
    'messaging.system': 'reelstream',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.destination.name': name,
    'messaging.message.id': job.id,
    'reelstream.job.attempt': job.retryCount + 1,
  };
  return tracing.continued(
    `process job ${name}`,
    { kind: 'consumer', attributes },
    () => [job.data.traceparent],
    () => runOnce(worker, name, job, settings, attempt),
  );
}

async function runOnce(
  { queue }: QueueWorker,
  name: string,
  job: StoredJob,
  { boss, schema, logger, tracing, onAttempt, closing }: WorkerSettings,
  attempt: Attempt,
): Promise<Result> {
  const { killed: _, ...stored } = job.data;
  const traceparent = tracing.traceparent();
  const payload = traceparent === undefined ? stored : { ...stored, traceparent };
  const started = performance.now();
  const ended = (outcome: AttemptOutcome): void => onAttempt(name, outcome, (performance.now() - started) / 1_000);
  try {
    const signal = AbortSignal.any([job.signal, closing]);
    const result = await attempt(payload, { signal, confirmClaim: () => confirmClaim(boss, name, job) });
    ended(result === undefined ? 'done' : 'failed');
    if (result !== undefined) await keepFailed(boss, schema, job);
    return result;
  } catch (error) {
    const isAborted = closing.aborted || job.signal.aborted;
    ended(isAborted ? 'aborted' : job.retryCount < job.retryLimit ? 'retried' : 'failed');
    const jobLogger = logger.child({ queue: name, ...queue.logFields(payload), attempt: job.retryCount + 1 });
    if (closing.aborted) await giveBack(boss, name, job, 'handed back by a worker that stopped');
    else if (job.signal.aborted) jobLogger.info('a job was cancelled, or another worker has it by now');
    else if (job.retryCount < job.retryLimit) jobLogger.warn({ err: error }, 'a job failed and will be tried again');
    else {
      await keepFailed(boss, schema, job).catch(() => undefined);
      jobLogger.warn({ err: error }, 'a job failed for the last time');
    }
    throw error;
  }
}

/** The message of a killed attempt does not repeat its cause. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
