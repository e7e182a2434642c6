import type { Appended } from '../core/appended.ts';
import type { CommandContext } from '../core/commandContext.ts';
import type { Queue } from './queue.ts';

/**
 * How failed jobs of a queue are run again when their failure is recorded in the log: by a command, whose events lead to a
 * new job. Without it, a failed job is put back into its queue as it is.
 */
export interface JobRetry<Payload extends object = object> {
  readonly queue: Queue<Payload>;
  /** @throws DomainError when the state of what the job is about does not allow it */
  retry(payload: Payload, context: CommandContext): Promise<JobRetried>;
}

export interface JobRetried {
  /** Of the job that will run. */
  readonly id: string;
  /** Undefined when no event was needed. */
  readonly appended: Appended | undefined;
}
