import type { Logger } from 'pino';
import type { Config, Role } from '../config/config.ts';
import { openDataFolder } from '../config/dataFolder.ts';
import type { AdminStatus } from '../features/accounts/index.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import { beginDatabase } from './beginDatabase.ts';
import { connectionsOf } from './connections.ts';
import { listenOn } from './listeningPort.ts';
import { readModelSettings } from './readModelSettings.ts';

/** A running system, or the part of it that one process runs. */
export interface App {
  /** Where it listens. For port 0 this is the port that the system assigned. */
  readonly port: number;
  readonly socketPort: number | undefined;
  /** Whether there was no data before this start. */
  readonly firstStart: boolean;
  /** Of a process with the role `api`; undefined where it is not known. */
  readonly admins: AdminStatus | undefined;
  /**
   * Lets running requests finish for at most `SHUTDOWN_SECONDS`, then closes all parts in the reverse order of their
   * start.
   */
  stop(): Promise<void>;
}

/**
 * Starts these roles. When that fails, all parts that have been started are closed. The same happens when `starting`
 * aborts first; the start then fails with the signal's reason.
 * @throws StartError when the settings or the machine do not allow it.
 */
export async function startApp(
  config: Config,
  roles: readonly Role[],
  logger: Logger,
  starting: AbortSignal,
  tracing: Tracing = noTracing,
): Promise<App> {
  await using parts = new AsyncDisposableStack();
  parts.defer(() => tracing.close());
  const opening = { config, logger, tracing, parts };
  const settings = readModelSettings(config);
  const connections = connectionsOf(config, roles);
  // The ports come first, so that a taken one is found before anything is written.
  const main = await listenOn('PORT', config.port, opening);
  const { socketPort } = config;
  const hasSockets = socketPort !== undefined && (roles.includes('api') || roles.includes('serve'));
  const legacy = hasSockets ? await listenOn('SOCKET_PORT', socketPort, opening) : undefined;
  openDataFolder(config.dataDir);
  const database = beginDatabase({ ...opening, signal: starting });
  // Loading the rest takes as long as PostgreSQL takes to start.
  const { startRoles } = await import('./startRoles.ts');
  return await startRoles({
    ...opening,
    connections,
    roles,
    readModelSettings: settings,
    starting,
    main,
    legacy,
    database,
  });
}
