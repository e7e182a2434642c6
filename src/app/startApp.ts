import type { Logger } from 'pino';
import type { Config, Role } from '../config/config.ts';
import { abortable } from '../core/abortable.ts';
import { projections } from '../features/index.ts';
import { createOpsApp } from '../http/httpApp.ts';
import { createHealth } from '../http/server/health.ts';
import { createMonitoringAccess } from '../http/server/monitoringAccess.ts';
import { projectionConsumer } from '../projecting/consumer.ts';
import { createApi } from './api.ts';
import { startConsumers, startRelay } from './consumers.ts';
import { listenOn } from './listeningPort.ts';
import type { Process } from './process.ts';
import { openServices } from './services.ts';
import { openRealtime, progressEmitter } from './sockets.ts';
import { startWork } from './work.ts';

/** A running system, whole or the part of it that one process holds. */
export interface App {
  /** Where it listens; the ports are the real ones also where 0 was asked for. */
  readonly port: number;
  readonly socketPort: number | undefined;
  /** There was no data before. */
  readonly firstStart: boolean;
  /** Lets what is under way finish, for `SHUTDOWN_SECONDS`, then ends everything in the reverse order of its start. */
  stop(): Promise<void>;
}

/**
 * Starts these roles. When it fails, whatever had been started is ended again; so it is when `starting` aborts first,
 * and the start fails with the signal's reason.
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
  const running: Process = { config, logger, parts, starting, draining: stopping.signal };
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
  const readModels = has('projector') ? projections.map(projectionConsumer) : [];
  const groups = { ...work, projections: [...(work['projections'] ?? []), ...readModels] };
  const consumers = await abortable(startConsumers(running, services, groups), starting);

  const checks = [...services.checks, ...relay, ...consumers];
  const health = createHealth({ checks, logger, draining: stopping.signal });
  const monitoring = createMonitoringAccess({ production: config.production, token: config.monitoringToken });
  const { metrics, firstStart } = services;
  const opsApp = createOpsApp({ logger, health, metrics, production: config.production, monitoring });
  main.serve(has('api') ? createApi(running, services, { health, monitoring, reportProgress }) : opsApp);
  legacy?.serve(opsApp);

  const started = parts.move();
  return {
    port: main.port,
    socketPort: legacy?.port,
    firstStart,
    async stop() {
      stopping.abort(new Error('the process is stopping'));
      const graceMs = config.shutdownSeconds * 1_000;
      // All at once. A client that is told to close its connection while the port still listens comes back, and is cut
      // off when the port closes. Sockets would keep the ports open. Requests under way still need the parts.
      await Promise.all([main.close(graceMs), legacy?.close(graceMs), realtime?.close()]);
      await started.disposeAsync();
    },
  };
}
