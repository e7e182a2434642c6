import type { Logger } from 'pino';
import { createRedisClaims, noSharedClaims } from '../cache/claims.ts';
import { createQueryCache } from '../cache/queryCache.ts';
import { createRedisSharedCache } from '../cache/redisSharedCache.ts';
import type { SharedRedis } from '../cache/sharedRedis.ts';
import type { ProjectionProgress } from '../core/projectionProgress.ts';
import { madeOf, type KeyRing } from '../core/keyRing.ts';
import type { Names } from '../core/names.ts';
import { secretFor } from '../core/sealing.ts';
import { createPasswords } from '../features/accounts/index.ts';
import type { ApiContext, FeatureContext } from '../features/feature.ts';
import { projections } from '../features/index.ts';
import { createTokens, type TokenOptions } from '../features/sessions/index.ts';
import type { CacheCounts } from '../telemetry/cacheMetrics.ts';
import { createReadYourWrites } from '../projecting/readYourWrites.ts';
import type { WrittenRows } from '../projecting/writtenRows.ts';

export interface ApiContextOptions
  extends
    Omit<FeatureContext, 'logger'>,
    Pick<
      ApiContext,
      'codec' | 'log' | 'parked' | 'operations' | 'jobList' | 'system' | 'rateLimits' | 'revocations' | 'onClose'
    > {
  readonly progress: Pick<ProjectionProgress, 'waitFor' | 'state' | 'onCommit' | 'positions'>;
  readonly written: Pick<WrittenRows, 'written'>;
  readonly redis: SharedRedis | undefined;
  readonly cacheCounts?: CacheCounts;
  readonly tokens: TokenOptions;
  readonly names: Names;
  /** `DATA_KEY`, from which the keys follow that sign the cookies of known devices. */
  readonly deviceKeys: KeyRing<Buffer>;
  readonly logger: Logger;
}

/** Creates what the routes of all features may use. */
export function createApiContext(options: ApiContextOptions): ApiContext {
  const { progress, written, redis, cacheCounts: counts, names, deviceKeys, tokens, ...context } = options;
  const cache = createQueryCache({
    progress,
    shared: redis && createRedisSharedCache(redis),
    ...(counts && { counts }),
  });
  context.onClose(() => cache.close());
  return {
    ...context,
    cache,
    readModels: {
      ...createReadYourWrites({ projections, progress }),
      onCommit: (listener) => progress.onCommit(listener),
      written: (...row) => written.written(...row),
    },
    claims: redis === undefined ? noSharedClaims : createRedisClaims(redis),
    tokens: createTokens(tokens),
    passwords: createPasswords(),
    hmac: names,
    deviceSecrets: madeOf(deviceKeys, (key) => secretFor(key, 'device')),
  };
}

/** For routes that are read but not called, as for the OpenAPI document. */
export const contextOfDeclarations = {
  onClose: () => undefined,
  hmac: () => '',
  settings: { uploadQuota: {}, adminEmails: [] },
} as unknown as ApiContext;
