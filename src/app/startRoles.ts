import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { ReadModelSettings } from '../../projections/settings.ts';
import type { Config, Role } from '../config/config.ts';
import { abortable } from '../core/abortable.ts';
import { readModelConsumers } from '../features/index.ts';
import { createOpsApp } from '../http/httpApp.ts';
import { createHealth } from '../http/server/health.ts';
import { createMonitoringAccess } from '../http/server/monitoringAccess.ts';
import { showComponents } from '../telemetry/componentMetrics.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { adminStatus } from './adminStatus.ts';
import { REBUILDS_AT_ONCE } from '../projecting/projector.ts';
import type { Database } from '../postgres/database.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { openAccess } from './access.ts';
import { createApi } from './api.ts';
import type { Connections } from './connections.ts';
import { startConsumers, startRelay } from './consumers.ts';
import { followSecrets } from './followSecrets.ts';
import { showProcess } from './heartbeats.ts';
import type { ListeningPort } from './listeningPort.ts';
import type { Process } from './process.ts';
import { startOperations } from './projectionOperations.ts';
import { openServices } from './services.ts';
import { openRealtime, progressEmitter } from './sockets.ts';
import type { App } from './startApp.ts';
import { startWork } from './work.ts';

/** What a start has opened before it loads most of its modules. */
export interface Beginnings {
  readonly config: Config;
  readonly connections: Connections;
  readonly roles: readonly Role[];
  readonly logger: Logger;
  readonly tracing: Tracing;
  readonly readModelSettings: ReadModelSettings;
  readonly starting: AbortSignal;
  readonly main: ListeningPort;
  readonly legacy: ListeningPort | undefined;
  readonly database: Promise<Database>;
  /** Those that are open. Once the roles run, all parts belong to the app. */
  readonly parts: AsyncDisposableStack;
}

/** Starts the roles on what `startApp` has opened. When that fails, the caller closes the parts. */
export async function startRoles(begun: Beginnings): Promise<App> {
  const { config, connections, roles, logger, tracing, starting, main, legacy, database, parts } = begun;
  const has = (role: Role): boolean => roles.includes(role) || roles.includes('serve');
  const stopping = new AbortController();
  const readModels = readModelConsumers(begun.readModelSettings);
  const metrics = createMetrics();
  const draining = stopping.signal;
  const running: Process = { config, connections, logger, metrics, tracing, readModels, parts, starting, draining };
  const services = await openServices(running, database, main.port);

  const access = has('api') ? await openAccess(running, services) : undefined;
  const realtime = access && openRealtime(running, services, access, main, legacy);
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
  const { firstStart } = services;
  showComponents({ metrics, statuses: async () => (await health.report()).components });
  const opsApp = createOpsApp({ logger, health, metrics, production: config.production, monitoring });
  const apiParts = { health, monitoring, reportProgress, subscribers: Object.values(work).flat() };
  main.serve(access === undefined ? opsApp : createApi(running, services, { ...apiParts, ...access }));
  legacy?.serve(opsApp);

  await exportMetrics(running);
  followSecrets(running);
  showProcess(running, services);
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

/** Sends the metrics of the process where its settings say so. */
async function exportMetrics({ config, metrics, parts }: Process): Promise<void> {
  if (config.metricsExport === undefined) return;
  const { startMetricsExport } = await import('../telemetry/metricsExport.ts');
  const sending = await startMetricsExport({ metrics, service: `reelstream-${config.role}`, ...config.metricsExport });
  parts.defer(() => sending.close());
}
