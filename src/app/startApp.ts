import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { Config, Role } from '../config/config.ts';
import { abortable } from '../core/abortable.ts';
import type { AdminStatus } from '../features/accounts/index.ts';
import { readModelConsumers } from '../features/index.ts';
import { createOpsApp } from '../http/httpApp.ts';
import { createHealth } from '../http/server/health.ts';
import { createMonitoringAccess } from '../http/server/monitoringAccess.ts';
import { adminStatus } from './adminStatus.ts';
import { REBUILDS_AT_ONCE } from '../projecting/projector.ts';
import { createApi } from './api.ts';
import { startConsumers, startRelay } from './consumers.ts';
import { listenOn } from './listeningPort.ts';
import type { Process } from './process.ts';
import { startOperations } from './projectionOperations.ts';
import { readModelSettings } from './readModelSettings.ts';
import { openServices } from './services.ts';
import { openRealtime, progressEmitter } from './sockets.ts';
import { startWork } from './work.ts';

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
): Promise<App> {
  await using parts = new AsyncDisposableStack();
  const has = (role: Role): boolean => roles.includes(role) || roles.includes('serve');
  const stopping = new AbortController();
  const readModels = readModelConsumers(readModelSettings(config));
  const running: Process = { config, logger, readModels, parts, starting, draining: stopping.signal };
  // The ports come first, so that a taken one is found before anything is written.
  const main = await listenOn('PORT', config.port, running);
  const { socketPort } = config;
  const legacy =
    socketPort === undefined || !has('api') ? undefined : await listenOn('SOCKET_PORT', socketPort, running);
  const services = await openServices(running, main.port);

  const realtime = has('api') ? openRealtime(running, services, main, legacy) : undefined;
  const reportProgress = realtime?.reportProgress ?? progressEmitter(running, services);

  const relay = has('relay') ? await abortable(startRelay(running, services), starting) : [];
  const work = has('media') ? await abortable(startWork(running, services, reportProgress), starting) : {};
  const projected = has('projector') ? readModels : [];
  const rebuilds = pLimit(REBUILDS_AT_ONCE);
  const groups = { ...work, projections: [...(work['projections'] ?? []), ...projected] };
  const consumers = await abortable(startConsumers(running, services, { groups, rebuilds }), starting);

  if (has('projector')) startOperations(running, services, rebuilds);

  const checks = [...services.checks, ...relay, ...consumers];
  const health = createHealth({ checks, logger, draining: stopping.signal });
  const monitoring = createMonitoringAccess({ production: config.production, token: config.monitoringToken });
  const { metrics, firstStart } = services;
  const opsApp = createOpsApp({ logger, health, metrics, production: config.production, monitoring });
  const apiParts = { health, monitoring, reportProgress, subscribers: Object.values(work).flat() };
  main.serve(has('api') ? createApi(running, services, apiParts) : opsApp);
  legacy?.serve(opsApp);

  const admins = has('api') ? await abortable(adminStatus(running, services), starting) : undefined;

  const started = parts.move();
  return {
    port: main.port,
    socketPort: legacy?.port,
    firstStart,
    admins,
    async stop() {
      stopping.abort(new Error('the process is stopping'));
      const graceMs = config.shutdownSeconds * 1_000;
      // All at the same time. A client that is told to close its connection while the port still listens would reconnect,
      // and be cut off when the port closes. Open sockets would keep the ports open. Running requests still need the
      // parts, which are closed last.
      await Promise.all([main.close(graceMs), legacy?.close(graceMs), realtime?.close()]);
      await started.disposeAsync();
    },
  };
}
