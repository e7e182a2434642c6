import { pause } from '../core/abortable.ts';
import { asPortError, isTransient, NoAnswer } from './eventStoreDbErrors.ts';

/** Tries of one call, the first included. */
export const ATTEMPTS = 3;

/** Milliseconds before the next try. All tries together take longer than an event id counts as fresh (`eventStoreDbAppender.ts`). */
export function backOff(failures: number): number {
  return Math.min(150 * 3 ** (failures - 1), 2_000);
}

/** Runs a call again while it fails for reasons that may pass. @throws EventStoreUnavailable when they do not; the signal's reason. */
export async function retried<T>(what: string, call: (attempt: number) => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt === ATTEMPTS || !isTransient(error)) throw asPortError(error, what);
      await pause(backOff(attempt), signal);
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
