import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';

/** What the parts of one process share while it starts and runs. */
export interface Process {
  readonly config: Config;
  readonly logger: Logger;
  /** Ended in the reverse of the order in which they were added. */
  readonly parts: AsyncDisposableStack;
  /** Aborts a start that is under way. */
  readonly starting: AbortSignal;
  /** Aborts when the process begins to stop. */
  readonly draining: AbortSignal;
}
