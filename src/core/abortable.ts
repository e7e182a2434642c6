import { setTimeout as delay } from 'node:timers/promises';
import { createMembers, type Members } from './members.ts';

interface Waiting {
  readonly callbacks: Members<() => void>;
  readonly abort: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls back when the signal aborts, unless the returned function is called before. For signals that have not aborted yet, live long,
 * and are waited for often. The signal has one listener, for all who wait. Node keeps listeners in a linked list, in which each that was
 * removed still refers to the next. That costs what `createMembers` avoids.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let waiting = waitingFor.get(signal);
  if (waiting === undefined) {
    const called = createMembers<() => void>();
    waiting = { callbacks: called, abort: () => called.all().forEach((each) => each()) };
    waitingFor.set(signal, waiting);
  }
  const { callbacks, abort } = waiting;
  if (callbacks.size === 0) signal.addEventListener('abort', abort, { once: true });
  const leave = callbacks.add(callback);
  return () => {
    leave();
    // Node keeps a signal of `AbortSignal.any` in memory while it has a listener.
    if (callbacks.size === 0) signal.removeEventListener('abort', abort);
  };
}

/**
 * The promise's value, or the signal's reason thrown as soon as it aborts; the promise's later outcome is then ignored.
 */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let forget: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    else forget = onAbort(signal, giveUp);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    forget?.();
    promise.catch(() => undefined);
  }
}

/** A signal that aborts as soon as one of the given ones does. */
export function anySignal(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second === undefined ? first : AbortSignal.any([first, second]);
}

/** Waits, or returns early when the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return delay(ms);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      forget();
      resolve();
    };
    const timer = setTimeout(end, ms);
    const forget = onAbort(signal, end);
  });
}
