import { createWakeUp } from '../../core/wakeUp.ts';

/** A value that changes. Its readers get the newest value and may miss values in between. */
export interface LatestValue<T> {
  set(value: T): void;
  /**
   * The present value, as soon as there is one, and then the newest one after each change. Ends when the signal aborts.
   */
  values(signal: AbortSignal): AsyncGenerator<T>;
}

export function createLatestValue<T>(): LatestValue<T> {
  const changed = createWakeUp();
  let current: { value: T } | undefined;
  return {
    set(value) {
      current = { value };
      changed.wake();
    },
    async *values(signal) {
      for (let given: { value: T } | undefined; ;) {
        while (current === given) {
          try {
            await changed.next(signal);
          } catch {
            return;
          }
        }
        given = current;
        yield given!.value;
      }
    },
  };
}
