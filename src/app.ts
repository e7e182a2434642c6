import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import type { Config, Role } from './config.ts';
import { startHttpServer } from './http/httpServer.ts';
import { portError } from './portError.ts';
import { openDatabase } from './postgres/database.ts';
import { migrate } from './postgres/migrate.ts';
import { createPool } from './postgres/pool.ts';

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
 * Starts these roles. When it fails, whatever had been started is ended again.
 * @throws StartError when the settings or the machine do not allow it.
 */
export async function startApp(config: Config, roles: readonly Role[], log: Logger): Promise<App> {
  await using started = new AsyncDisposableStack();
  let handler: RequestListener = (_request, response) => void response.writeHead(503, { 'retry-after': '1' }).end();
  const listen = async (variable: 'PORT' | 'SOCKET_PORT', port: number): Promise<number> => {
    try {
      const server = await startHttpServer((request, response) => handler(request, response), { port, host: config.host });
      started.defer(() => server.close(config.shutdownSeconds * 1_000));
      return server.port;
    } catch (error) {
      throw portError(error, { variable, port, host: config.host });
    }
  };
  // The ports come first: a taken one is found out before anything is written.
  const port = await listen('PORT', config.port);
  const withLegacySocket = config.socketPort !== undefined && (roles.includes('serve') || roles.includes('api'));
  const socketPort = withLegacySocket ? await listen('SOCKET_PORT', config.socketPort) : undefined;

  const database = await openDatabase({ config, log, onFailure: crash });
  started.defer(() => database.close());
  const pool = createPool({ connectionString: database.url, name: config.role, onError: (error) => log.warn({ err: error }, 'a database connection was lost') });
  started.defer(() => pool.end());
  await migrate(pool);

  handler = (request, response) => {
    const known = request.url?.startsWith('/health') ?? false;
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ success: known, message: known ? 'API is healthy!' : 'Not found', timestamp: new Date().toISOString() }));
  };

  const running = started.move();
  return { port, socketPort, firstStart: database.created, stop: () => running.disposeAsync() };
}

/** Ends the process the way any error does that nobody expected. */
function crash(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}
