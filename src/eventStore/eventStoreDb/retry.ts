import { pause } from '../../core/abortable.ts';
import { backOff } from '../../core/backOff.ts';
import { withTimeout } from '../../core/withTimeout.ts';
import { asPortError, isTransient, NoAnswer } from './clientErrors.ts';

/**
 * The least number of tries, however long they take. Two silent calls renew the connection, so the third uses a new
 * one.
 */
const LEAST_ATTEMPTS = 3;

/** Milliseconds before the next try. */
export function pauseAfter(failures: number): number {
  return backOff(failures, { firstMs: 150, longestMs: 1_000 });
}

/** Decides after each failure of one piece of work whether it is tried again. */
export interface Retries {
  /**
   * Waits before the next try.
   * @throws EventStoreUnavailable when the time for retries is over; an error that a retry cannot fix; the signal's
   * reason.
   */
  afterFailure(error: unknown): Promise<void>;
  /** There was progress: the next failure counts as the first one. */
  reset(): void;
}

export interface RetryOptions {
  /** What is tried, for the error's message: "reading the log". */
  readonly what: string;
  /** Milliseconds after the first failure in which the work is tried again. */
  readonly retryForMs: number;
  readonly signal?: AbortSignal;
}

export function createRetries({ what, retryForMs, signal }: RetryOptions): Retries {
  let failures = 0;
  let firstFailure = 0;
  return {
    afterFailure: async (error) => {
      signal?.throwIfAborted();
      if (failures++ === 0) firstFailure = performance.now();
      const timeIsOver = performance.now() - firstFailure >= retryForMs;
      if (!isTransient(error) || (failures >= LEAST_ATTEMPTS && timeIsOver)) throw asPortError(error, what);
      await pause(pauseAfter(failures), signal);
    },
    reset: () => {
      failures = 0;
    },
  };
}

/** Calls again while the call fails for reasons that may pass. Throws as `Retries.afterFailure` does. */
export async function retried<T>(options: RetryOptions, call: (attempt: number) => Promise<T>): Promise<T> {
  const retries = createRetries(options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(attempt);
    } catch (error) {
      await retries.afterFailure(error);
    }
  }
}

/** The promise's value. @throws NoAnswer when it takes longer than `ms`; its later outcome is ignored. */
export function answerWithin<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  return withTimeout(promise, ms, () => {
    throw new NoAnswer(what, ms);
  });
}
