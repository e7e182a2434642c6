import { feed } from '../features/index.ts';
import { createClientAddress } from '../http/request/clientAddress.ts';
import type { HttpServer } from '../http/server/httpServer.ts';
import { createRealtime, type Realtime } from '../realtime/realtime.ts';
import { createProgressEmitter } from '../realtime/redisSockets.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import type { Access } from './access.ts';
import { showSockets } from '../telemetry/socketMetrics.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/** @param legacy the server on `SOCKET_PORT`, if it is open */
export function openRealtime(
  { config, logger, metrics, tracing, parts }: Process,
  { store, log, redis }: Services,
  { authenticator, revocations }: Access,
  main: HttpServer,
  legacy: HttpServer | undefined,
): Realtime {
  const realtime = createRealtime({
    http: main.server,
    legacyHttp: legacy?.server,
    definition: feed,
    authenticate: (token) => authenticator.verify(token),
    revocations,
    store,
    log,
    addressOf: createClientAddress(config.trustProxy),
    limits: config.sockets,
    redis: redis && { redis: redis.client, namespace: redis.namespace },
    logger,
    tracing,
  });
  showSockets({ metrics, counts: () => realtime.counts() });
  parts.defer(() => realtime.close());
  return realtime;
}

/** Reports progress from a process without sockets. Without Redis, no socket receives it. */
export function progressEmitter({ logger, parts }: Process, { redis }: Services): ReportUploadProgress {
  if (redis === undefined) return () => undefined;
  const emitter = createProgressEmitter({ redis: redis.client, namespace: redis.namespace }, logger);
  parts.defer(() => emitter.close());
  return emitter.report;
}
