import { createClientAddress } from '../http/request/clientAddress.ts';
import type { HttpServer } from '../http/server/httpServer.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import { createRealtime, type Realtime } from '../realtime/realtime.ts';
import { createProgressEmitter } from '../realtime/redisSockets.ts';
import type { Tokens } from '../features/sessions/tokens.ts';
import type { Engines } from './engines.ts';

export function openRealtime(
  { config, log, parts, store, redis }: Engines,
  tokens: Tokens,
  door: HttpServer,
  legacyDoor: HttpServer | undefined,
): Realtime {
  const realtime = createRealtime({
    http: door.server,
    legacyHttp: legacyDoor?.server,
    authenticate: (token) => tokens.verifyAccess(token),
    store,
    addressOf: createClientAddress(config.trustProxy),
    limits: config.sockets,
    redis: redis && { redis: redis.client, namespace: redis.namespace },
    logger: log,
  });
  parts.defer(() => realtime.close());
  return realtime;
}

/** Without a Redis, progress made in a process without sockets reaches nobody. */
export function progressEmitter({ redis, log, parts }: Engines): ReportUploadProgress {
  if (redis === undefined) return () => undefined;
  const emitter = createProgressEmitter({ redis: redis.client, namespace: redis.namespace }, log);
  parts.defer(() => emitter.close());
  return emitter.report;
}
