import { abortable } from '../../core/abortable.ts';

/** A value that changes, for those who want the newest one and can do without those in between. */
export interface Latest<T> {
  set(value: T): void;
  /** The value now, as soon as there is one, and then each time that it has changed. Ends when the signal aborts. */
  values(signal: AbortSignal): AsyncGenerator<T>;
}

export function createLatest<T>(): Latest<T> {
  let current: { value: T } | undefined;
  let changed = Promise.withResolvers<void>();
  return {
    set(value) {
      current = { value };
      changed.resolve();
      changed = Promise.withResolvers();
    },
    async *values(signal) {
      for (let given: { value: T } | undefined; ;) {
        while (current === given) {
          try {
            await abortable(changed.promise, signal);
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
