import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Connections } from './connections.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Consumer } from '../projecting/consumer.ts';
import type { Tracing } from '../telemetry/tracing.ts';

/** Shared by the parts of one process while it starts and runs. */
export interface Process {
  readonly config: Config;
  readonly connections: Connections;
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly metrics: Metrics;
  /** The projections of all features, under the settings of this process. */
  readonly readModels: readonly Consumer[];
  /** Closed in the reverse of the order in which they were added. */
  readonly parts: AsyncDisposableStack;
  /** Aborts when the start is aborted. */
  readonly starting: AbortSignal;
  /** Aborts when the process begins to stop. */
  readonly draining: AbortSignal;
}
