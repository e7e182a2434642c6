import { setTimeout as delay } from 'node:timers/promises';
import { createMembers, type Members } from './members.ts';

const callbacks = new WeakMap<AbortSignal, Members<() => void>>();

/**
 * Calls back when the signal aborts, unless the returned function is called before. For signals that have not aborted yet, live long,
 * and are waited for often. Node keeps the listeners of a signal in a linked list, in which each that was removed still refers to the
 * next. That costs what `createMembers` avoids.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let called = callbacks.get(signal);
  if (called === undefined) {
    const all = (called = createMembers());
    callbacks.set(signal, all);
    signal.addEventListener('abort', () => all.all().forEach((each) => each()), { once: true });
  }
  return called.add(callback);
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
