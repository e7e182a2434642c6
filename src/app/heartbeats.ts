import { hostname } from 'node:os';
import { madeOf } from '../core/keyRing.ts';
import { version } from '../core/version.ts';
import { markOf } from '../postgres/masterKeys.ts';
import { startHeartbeats } from '../postgres/processes.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/** Lets operators see that this process runs, until its parts are closed. */
export function showProcess(
  { config, logger, parts }: Pick<Process, 'config' | 'logger' | 'parts'>,
  { pool, metrics }: Pick<Services, 'pool' | 'metrics'>,
): void {
  const heartbeats = startHeartbeats({
    pool,
    identity: { role: config.role, pid: process.pid, host: hostname(), version },
    appended: async () =>
      (await metrics.counter('reelstream_events_appended_total').get()).values.reduce(
        (sum, { value }) => sum + value,
        0,
      ),
    masterKeys: madeOf(config.secrets.dataKey, markOf),
    logger,
  });
  parts.defer(() => heartbeats.close());
}
