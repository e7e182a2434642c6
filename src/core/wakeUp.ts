import { abortable } from './abortable.ts';

/** Wakes everybody who waits, as often as needed. A waiter checks its condition, waits for `next`, and checks again. */
export interface WakeUp {
  /** Wakes all who wait now. Those who begin to wait later wait for the next call. */
  wake(): void;
  /** Resolves at the next `wake`. Throws the signal's reason when that aborts first. */
  next(signal?: AbortSignal): Promise<void>;
}

export function createWakeUp(): WakeUp {
  let woken = Promise.withResolvers<void>();
  return {
    wake() {
      woken.resolve();
      woken = Promise.withResolvers();
    },
    next: (signal) => abortable(woken.promise, signal),
  };
}
