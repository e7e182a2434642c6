import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';

/** Shared by the parts of one process while it starts and runs. */
export interface Process {
  readonly config: Config;
  readonly logger: Logger;
  /** Closed in the reverse of the order in which they were added. */
  readonly parts: AsyncDisposableStack;
  /** Aborts when the start is aborted. */
  readonly starting: AbortSignal;
  /** Aborts when the process begins to stop. */
  readonly draining: AbortSignal;
}
