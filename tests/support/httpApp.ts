import { pino, type Logger } from 'pino';
import { createAuthenticator } from '../../src/http/request/authenticator.ts';
import { createHealth } from '../../src/http/server/health.ts';
import { createHttpApp, type HttpAppOptions } from '../../src/http/httpApp.ts';
import { startHttpServer } from '../../src/http/server/httpServer.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { fixedKeys } from '../../src/core/keyRing.ts';

export const TEST_JWT_SECRET = 'only for tests';

export interface TestApp extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** The logged lines, parsed. */
  readonly logged: readonly Record<string, unknown>[];
  readonly drain: AbortController;
}

export interface Logged {
  readonly logger: Logger;
  readonly lines: Record<string, unknown>[];
}

export function collectingLog(): Logged {
  const lines: Record<string, unknown>[] = [];
  return {
    logger: pino(
      { level: 'debug' },
      { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    lines,
  };
}

/** Starts the real HTTP application with these routes, on a free port. */
export async function startTestApp(
  options: Pick<HttpAppOptions, 'routes'> & Partial<HttpAppOptions>,
): Promise<TestApp> {
  const { logger, lines } = collectingLog();
  const metrics = createMetrics();
  const drain = new AbortController();
  const health = createHealth({ checks: [], logger, draining: drain.signal });
  const app = createHttpApp({
    logger,
    metrics,
    health,
    authenticator: createAuthenticator({ secret: fixedKeys(TEST_JWT_SECRET) }),
    ...options,
  });
  const server = await startHttpServer(app, { port: 0, host: '127.0.0.1' });
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port,
    metrics,
    logged: lines,
    drain,
    [Symbol.asyncDispose]: () => server.close(0),
  };
}
