import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import { projections } from '../../projections/index.ts';
import type { Config, Role } from '../config/config.ts';
import { abortable } from '../core/abortable.ts';
import { createHealth } from '../http/server/health.ts';
import { createOpsApp } from '../http/httpApp.ts';
import { startHttpServer, type HttpServer } from '../http/server/httpServer.ts';
import { createMonitoringAccess } from '../http/server/monitoringAccess.ts';
import { portError } from '../http/server/portError.ts';
import { projectionConsumer } from '../projecting/consumer.ts';
import { createTokens, type Tokens } from '../features/sessions/tokens.ts';
import { createApi } from './api.ts';
import { startConsumers, startMedia, startRelay } from './consumers.ts';
import { openEngines, type Engines } from './engines.ts';
import { openRealtime, progressEmitter } from './sockets.ts';

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
  log: Logger,
  starting: AbortSignal,
): Promise<App> {
  await using parts = new AsyncDisposableStack();
  const has = (role: Role): boolean => roles.includes(role) || roles.includes('serve');
  const draining = new AbortController();
  // The ports come first: a taken one is found out before anything is written.
  const door = await openDoor('PORT', config.port, { config, parts });
  const legacyDoor =
    config.socketPort === undefined || !has('api')
      ? undefined
      : await openDoor('SOCKET_PORT', config.socketPort, { config, parts });
  const { engines, firstStart } = await openEngines({
    config,
    log,
    parts,
    port: door.port,
    draining: draining.signal,
    starting,
  });

  const tokens = tokensOf(config);
  const realtime = has('api') ? openRealtime(engines, tokens, door, legacyDoor) : undefined;
  const reportProgress = realtime?.reportProgress ?? progressEmitter(engines);

  if (has('relay')) await abortable(startRelay(engines), starting);
  const media = has('media') ? [await abortable(startMedia(engines, reportProgress), starting)] : [];
  await abortable(
    startConsumers(engines, { projections: has('projector') ? projections.map(projectionConsumer) : [], media }),
    starting,
  );

  const { metrics, checks } = engines;
  const health = createHealth({ checks, log, draining: draining.signal });
  const monitoring = createMonitoringAccess({ production: config.production, token: config.monitoringToken });
  const opsApp = createOpsApp({ log, health, metrics, production: config.production, monitoring });
  door.open(has('api') ? createApi(engines, { health, monitoring, tokens, reportProgress }) : opsApp);
  legacyDoor?.open(opsApp);

  const running = parts.move();
  return {
    port: door.port,
    socketPort: legacyDoor?.port,
    firstStart,
    async stop() {
      draining.abort(new Error('the process is stopping'));
      const graceMs = config.shutdownSeconds * 1_000;
      // At once: a client that is told to close its connection while the port still listens comes back, and is cut off when it
      // does not any more. Sockets would keep the ports open. The parts are still needed by requests under way.
      await Promise.all([door.close(graceMs), legacyDoor?.close(graceMs), realtime?.close()]);
      await running.disposeAsync();
    },
  };
}

/** A port that is taken at once, and answered for as soon as there is an application. */
interface Door extends HttpServer {
  open(app: RequestListener): void;
}

async function openDoor(
  variable: 'PORT' | 'SOCKET_PORT',
  port: number,
  { config, parts }: Pick<Engines, 'config' | 'parts'>,
): Promise<Door> {
  const { host, shutdownSeconds } = config;
  let answer: RequestListener = (_request, response) => void response.writeHead(503, { 'Retry-After': '1' }).end();
  try {
    const server = await startHttpServer((request, response) => answer(request, response), { port, host });
    parts.defer(() => server.close(shutdownSeconds * 1_000));
    return { ...server, open: (app) => (answer = app) };
  } catch (error) {
    throw portError(error, { variable, port, host });
  }
}

function tokensOf({ secrets, accessTokenSeconds, refreshTokenSeconds }: Config): Tokens {
  return createTokens({
    accessSecret: secrets.jwt,
    accessSeconds: accessTokenSeconds,
    refreshSecret: secrets.refresh,
    refreshSeconds: refreshTokenSeconds,
  });
}
