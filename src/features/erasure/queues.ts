import { defineQueue } from '../../jobs/queue.ts';

export interface EraseJob {
  readonly userId: string;
  readonly correlationId: string;
  /** The event that led to the job. */
  readonly causationId: string;
  readonly traceparent?: string;
}

/**
 * Erases a forgotten user. It is tried for ten days, since a read model may be rebuilt for long. It runs again a minute later:
 * until then, another process may have recorded something under a key that it had in memory.
 */
export const eraseQueue = defineQueue<EraseJob>({
  name: 'erase',
  repeatAfterSeconds: 60,
  retries: { limit: 5_000 },
  logFields: ({ userId }) => ({ userId }),
});
