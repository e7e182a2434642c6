import { pause } from '../../core/abortable.ts';
import { asPortError, isTransient, NoAnswer } from './errors.ts';

/** Tries of a call, the first included, however long they take. The last of them goes over a new connection if the others had no answer. */
const LEAST_ATTEMPTS = 3;
/** Milliseconds after the first failure in which a call is tried again. Clusters elect a leader within a few seconds. */
const BUDGET_MS = 5_000;
const LONGEST_PAUSE_MS = 1_000;

/** Milliseconds before the next try. All tries together take longer than an event id counts as fresh (`eventStoreDbAppender.ts`). */
export function backOff(failures: number): number {
  return Math.min(150 * 2 ** (failures - 1), LONGEST_PAUSE_MS);
}

/** How long one piece of work is tried again. */
export interface Patience {
  /** Waits before the next try. @throws EventStoreUnavailable when there is to be none; an error that will not pass; the signal's reason. */
  afterFailure(error: unknown): Promise<void>;
  /** There was progress: the next failure counts as the first one. */
  restore(): void;
}

export function createPatience(what: string, signal?: AbortSignal): Patience {
  let failures = 0;
  let firstFailure = 0;
  return {
    afterFailure: async (error) => {
      signal?.throwIfAborted();
      if (failures++ === 0) firstFailure = performance.now();
      const spent = performance.now() - firstFailure >= BUDGET_MS;
      if (!isTransient(error) || (failures >= LEAST_ATTEMPTS && spent)) throw asPortError(error, what);
      await pause(backOff(failures), signal);
    },
    restore: () => {
      failures = 0;
    },
  };
}

/** Runs a call again while it fails for reasons that may pass. @throws EventStoreUnavailable when they do not; the signal's reason. */
export async function retried<T>(
  what: string,
  call: (attempt: number) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const patience = createPatience(what, signal);
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(attempt);
    } catch (error) {
      await patience.afterFailure(error);
    }
  }
}

/** @throws NoAnswer when the promise takes longer; what becomes of it then is ignored. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new NoAnswer(what, ms)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
