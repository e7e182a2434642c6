import { fileURLToPath } from 'node:url';
import type { RequestListener } from 'node:http';
import { eventTypes, feed, projections, apiRoutes, routeTags } from '../features/index.ts';
import { countCases } from '../features/moderation/index.ts';
import { discardedEvents } from '../features/operators/index.ts';
import { createHttpApp } from '../http/httpApp.ts';
import { createKnownPositions } from '../http/consistency/knownPositions.ts';
import { allowedOrigins } from '../http/reply/corsPolicy.ts';
import type { Health } from '../http/server/health.ts';
import type { MonitoringAccess } from '../http/server/monitoringAccess.ts';
import { createPostgresIdempotency } from '../postgres/postgresIdempotency.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { decodeFor } from '../projecting/decoding.ts';
import { createParkedEvents } from '../projecting/parking/createParkedEvents.ts';
import type { SharedProgress } from '../projecting/progress/sharedProgress.ts';
import { createRateLimits } from '../rateLimits/createRateLimits.ts';
import { realtimeDocs } from '../realtime/realtimeDocs.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import type { Access } from './access.ts';
import { createCacheCounts, showCache } from '../telemetry/cacheMetrics.ts';
import { createApiContext } from './apiContext.ts';
import { openJobList } from './jobList.ts';
import type { Process } from './process.ts';
import { isAnyRebuilding } from './projectionHealth.ts';
import { openOperations } from './projectionOperations.ts';
import type { Services } from './services.ts';
import { systemReport } from './systemReport.ts';
import { tokenOptions } from './tokenOptions.ts';

/** What `npm run build` makes of `web/`. */
const WEB_PAGE = fileURLToPath(new URL('../../web/dist', import.meta.url));

export interface ApiParts extends Access {
  readonly monitoring: MonitoringAccess;
  readonly health: Health;
  readonly reportProgress: ReportUploadProgress;
  /** Those that this process runs. */
  readonly subscribers: readonly Consumer[];
}

/** The HTTP application of a process with the role `api`. */
export function createApi(
  running: Process,
  services: Services,
  { authenticator, revocations, health, monitoring, reportProgress, subscribers }: ApiParts,
): RequestListener {
  const { config, logger, tracing, parts, readModels } = running;
  const { metrics, names, pool, rawStore, store, codec, media, objects, redis, progress } = services;
  const rateLimits = createRateLimits({ ...config.rateLimits, redis });
  const idempotency = createPostgresIdempotency({ pool, secret: names('idempotency'), logger });
  parts.defer(() => idempotency.close());
  const decode = decodeFor(eventTypes, codec);
  const discarded = discardedEvents(store);
  const cacheCounts = createCacheCounts();
  showCache(metrics, cacheCounts);
  // Shows nothing while the number is not known.
  metrics.showAtScrape(['reelstream_open_reports'], async (show) =>
    show('reelstream_open_reports', {}, await countCases(services.db, 'open')),
  );
  const context = createApiContext({
    ...services,
    cacheCounts,
    parked: createParkedEvents({
      pool,
      store: rawStore,
      decode,
      discarded,
      consumers: [...readModels, ...subscribers],
      logger,
    }),
    settings: config,
    tokens: tokenOptions(config),
    deviceKeys: config.secrets.dataKey,
    rateLimits,
    revocations,
    operations: openOperations(running, services),
    jobList: openJobList(services),
    system: systemReport(running, services),
    reportProgress,
    logger,
    onClose: (close) => parts.defer(close),
  });

  return createHttpApp({
    routes: apiRoutes(context),
    tags: routeTags,
    readModels: context.readModels,
    media,
    logger,
    metrics,
    tracing,
    health,
    idempotency,
    rebuilding: () => isAnyRebuilding(progress),
    positions: createKnownPositions({ head: () => store.head(), reached: () => reachedBy(progress) }),
    authenticator,
    rateLimits,
    cors: allowedOrigins(config.corsOrigins, config),
    production: config.production,
    realtime: realtimeDocs(feed),
    web: { folder: WEB_PAGE, mediaOrigins: [new URL(objects.url('')).origin] },
    monitoring,
    trustProxy: config.trustProxy,
  });
}

/** The highest position that any projection has reached. The log has reached it too. */
function reachedBy({ positions }: SharedProgress): bigint {
  return projections.flatMap(({ name }) => positions(name)).reduce((most, one) => (one > most ? one : most), 0n);
}
