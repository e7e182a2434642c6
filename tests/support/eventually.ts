import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions<T> {
  /** Milliseconds; 20 000 by default. */
  readonly within?: number;
  /** Milliseconds between two tries; 50 by default. */
  readonly every?: number;
  /** Completes the message "waited in vain until …". */
  readonly what: string;
  /** Whether an answer holds; by default any truthy one does. */
  readonly holds?: (value: T) => boolean;
  /** Ends the wait when the condition can no longer become true. */
  readonly giveUp?: () => boolean;
}

/**
 * Repeats a query until its answer holds, and returns that answer. An error counts as "not yet".
 * @throws after the deadline, with the last answer or error.
 */
export async function eventually<T>(ask: () => Promise<T> | T, options: EventuallyOptions<T>): Promise<T> {
  const { within = 20_000, every = 50, what, holds = Boolean, giveUp = () => false } = options;
  const deadline = performance.now() + within;
  let last: unknown;
  do {
    try {
      const value = await ask();
      if (holds(value)) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (giveUp()) break;
    await delay(every);
  } while (performance.now() < deadline);
  const said = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`waited in vain until ${what}; last: ${said}`, { cause: last });
}
