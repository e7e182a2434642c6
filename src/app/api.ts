import type { RequestListener } from 'node:http';
import { projections } from '../../projections/index.ts';
import { createAccountQueries } from '../features/accounts/accountQueries.ts';
import { createPasswords } from '../features/accounts/passwords.ts';
import { createQueryCache } from '../cache/queryCache.ts';
import { createRedisSharedCache } from '../cache/redisSharedCache.ts';
import { hmacName } from '../core/sealing.ts';
import { createAuthenticator } from '../http/request/authenticator.ts';
import { allowedOrigins } from '../http/reply/corsPolicy.ts';
import type { Health } from '../http/server/health.ts';
import { createHttpApp } from '../http/httpApp.ts';
import { createKnownPositions } from '../http/consistency/knownPositions.ts';
import type { MonitoringAccess } from '../http/server/monitoringAccess.ts';
import { createPostgresIdempotency } from '../postgres/postgresIdempotency.ts';
import { createLikeCommands } from '../features/likes/likeCommands.ts';
import { createLikeQueries } from '../features/likes/likeQueries.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import { createUploadQuota } from '../features/videos/processing/uploadQuota.ts';
import { createMediaHandler } from '../objectStore/mediaHandler.ts';
import type { SharedProgress } from '../projecting/progress/sharedProgress.ts';
import { createRateLimits } from '../rateLimits/createRateLimits.ts';
import { realtimeDocs } from '../realtime/realtimeDocs.ts';
import type { Tokens } from '../features/sessions/tokens.ts';
import { createVideoQueries } from '../features/videos/videoQueries.ts';
import { createViewRecorder } from '../features/views/viewRecorder.ts';
import { apiRoutes } from './apiRoutes.ts';
import { MEDIA_PATH, objectFolder, type Engines } from './engines.ts';

export interface ApiParts {
  readonly monitoring: MonitoringAccess;
  readonly health: Health;
  readonly tokens: Tokens;
  readonly reportProgress: ReportUploadProgress;
}

export function createApi(engines: Engines, { health, monitoring, tokens, reportProgress }: ApiParts): RequestListener {
  const { config, log, parts, metrics, tracing, pool, store, objects, redis, progress, scratch, inspect } = engines;
  const { secrets } = config;
  const nameHash = (kind: 'email' | 'username', name: string): string => hmacName(secrets.dataKey, kind, name);
  const passwords = createPasswords();
  const cache = createQueryCache({ progress, shared: redis && createRedisSharedCache(redis) });
  parts.defer(() => cache.close());
  const rateLimits = createRateLimits({ ...config.rateLimits, redis });
  const views = createViewRecorder({
    store,
    logger: log,
    secret: hmacName(secrets.dataKey, 'viewer', ''),
    shared: redis,
    rateLimits,
  });
  parts.defer(() => views.close());
  const idempotency = createPostgresIdempotency({ pool, secret: hmacName(secrets.dataKey, 'idempotency', ''), log });
  parts.defer(() => idempotency.close());
  const queries = createVideoQueries({ pool, urls: objects });
  const likes = createLikeQueries({ pool, store });

  return createHttpApp({
    routes: apiRoutes({
      accounts: {
        store,
        nameHash,
        passwords,
        queries: createAccountQueries({ pool }),
        videosOf: (userId) => queries.ofOwner(userId),
        progress,
        rateLimits,
      },
      sessions: {
        store,
        nameHash,
        passwords,
        tokens,
        rateLimits,
        deviceSecret: hmacName(secrets.dataKey, 'device', ''),
        secureCookies: config.production,
      },
      videos: {
        store,
        objects,
        cache,
        views,
        progress,
        scratch,
        inspect,
        queries,
        likes,
        quota: createUploadQuota({ pool, ...config.uploadQuota }),
        reportProgress,
        uploadWaitMs: config.uploadWaitSeconds * 1_000,
      },
      likes: { commands: createLikeCommands({ store }), queries: likes, progress },
      analytics: { pool, progress },
    }),
    media:
      config.minio === undefined
        ? { path: MEDIA_PATH, handler: createMediaHandler({ root: objectFolder(config) }) }
        : undefined,
    log,
    metrics,
    tracing,
    health,
    idempotency,
    positions: createKnownPositions({ head: () => store.head(), reached: () => reachedBy(progress) }),
    authenticator: createAuthenticator({ secret: secrets.jwt }),
    rateLimits,
    cors: allowedOrigins(config.corsOrigins, config),
    production: config.production,
    realtime: realtimeDocs(),
    monitoring,
    trustProxy: config.trustProxy,
  });
}

/** What any projection has taken in is in the log. */
function reachedBy({ positions }: SharedProgress): bigint {
  return projections.flatMap(({ name }) => positions(name)).reduce((most, one) => (one > most ? one : most), 0n);
}
