/** A queue as the feature that brings it declares it. Adding, cancelling and working refer to this one declaration. */
export interface QueueOptions<Payload extends object> {
  /** Its name in PostgreSQL. Never change it: the jobs that wait in a data folder are found by it. */
  readonly name: string;
  /** Users take turns, whatever the number of their jobs (`turns.ts`). Otherwise the oldest job runs first. */
  readonly fair?: boolean;
  /**
   * A job that has failed or been killed as often as it may goes to the worker's `giveUp`. Without this it is dropped, and
   * kills count like failures. Failed jobs wait for `giveUp` in a queue of their own, `<name>-dead`.
   */
  readonly givesUp?: boolean;
  /** Each job waits this many seconds before it may run. */
  readonly delaySeconds?: number;
  /** Each job runs once more, this many seconds after it was added. */
  readonly repeatAfterSeconds?: number;
  readonly retries?: Partial<Retries>;
  /** Seconds without a sign of life after which a worker counts as killed; 15 by default. */
  readonly heartbeatSeconds?: number;
  /** Seconds that one attempt may take; 20 minutes by default. */
  readonly timeoutSeconds?: number;
  /** What log entries about a job say besides queue and attempt. */
  logFields?(payload: Payload): object;
}

/** Attempts after the first. */
export interface Retries {
  readonly limit: number;
  /** Seconds before the first retry. Each further one waits about twice as long. */
  readonly delaySeconds: number;
  readonly maxDelaySeconds: number;
}

export interface Queue<Payload extends object = object> extends Required<
  Omit<QueueOptions<Payload>, 'delaySeconds' | 'repeatAfterSeconds' | 'retries'>
> {
  readonly delaySeconds: number | undefined;
  readonly repeatAfterSeconds: number | undefined;
  readonly retries: Retries;
}

export interface NewJob<Payload extends object> {
  /** UUID. A job whose id is in the queue already is not added again. */
  readonly id: string;
  /** The user whose turn the job takes. */
  readonly ownerId: string;
  /** It has no turn: it runs when no job waits that has one. Such jobs run in the order in which they came. */
  readonly background?: boolean;
  /** Stored as JSON. The engine keeps `killed` beside it (`attempts.ts`), so a payload has no field of that name. */
  readonly data: Payload;
}

/** What the engine gives to one attempt. */
export interface JobRun {
  /** Aborted when the job was cancelled, another worker has it, or it goes back to the queue because this worker stops. */
  readonly signal: AbortSignal;
  /** Throws when another worker has the job by now, as after a pause of minutes. Call it before you record a failure. */
  confirmClaim(): Promise<void>;
}

/** Why a job is not tried again. */
export interface GivenUp {
  /** How its last attempt ended: the error, or what the queue kept of it. */
  readonly cause: unknown;
  /** It was killed too often. Otherwise it failed too often. */
  readonly killed: boolean;
}

export interface RecordedFailure {
  /** A sentence. */
  readonly failed: string;
}

/** What one process does with the jobs of a queue. */
export interface QueueWorker<Payload extends object = object> {
  readonly queue: Queue<Payload>;
  /** Jobs that this process runs at a time; 1 by default. */
  readonly concurrency?: number;
  /**
   * Runs one job. It must be safe to repeat. An error means: try again later. Returns a failure that it has recorded
   * because another attempt would end the same way; operators see it.
   * @throws AttemptKilled when something outside of this process ended the work
   */
  handle(payload: Payload, run: JobRun): Promise<RecordedFailure | void>;
  /** Records that a job is not tried again. It must be safe to repeat. Required when the queue `givesUp`. */
  giveUp?(payload: Payload, why: GivenUp): Promise<void>;
}

/** Twenty retries over some 40 minutes: PostgreSQL or the object store may be away for that long. */
const RETRIES: Retries = { limit: 20, delaySeconds: 1, maxDelaySeconds: 180 };

export function defineQueue<Payload extends object>(options: QueueOptions<Payload>): Queue<Payload> {
  return {
    fair: false,
    givesUp: false,
    delaySeconds: undefined,
    repeatAfterSeconds: undefined,
    heartbeatSeconds: 15,
    timeoutSeconds: 20 * 60,
    logFields: () => ({}),
    ...options,
    retries: { ...RETRIES, ...options.retries },
  };
}
