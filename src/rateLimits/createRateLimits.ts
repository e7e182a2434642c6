import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { RedisGate } from '../cache/redisGate.ts';
import {
  noRateLimits,
  type RateLimit,
  type RateLimitGroup,
  type RateLimits,
  type RateLimitState,
} from './rateLimits.ts';

export interface RateLimitOptions {
  readonly enabled: boolean;
  readonly limits: Readonly<Record<RateLimitGroup, RateLimit>>;
  /** Counts for all API processes together. Without Redis, or while it does not answer, each process counts by itself. */
  readonly redis?: SharedCounting | undefined;
}

export interface SharedCounting {
  readonly client: Redis;
  /** Limits how long a request waits for Redis. */
  readonly gate: Pick<RedisGate, 'run'>;
  /** Separates the keys of this system from those of others in the same Redis. */
  readonly namespace: string;
}

export function createRateLimits({ enabled, limits, redis }: RateLimitOptions): RateLimits {
  if (!enabled) return noRateLimits;
  const names = Object.keys(limits) as RateLimitGroup[];
  const groups = Object.fromEntries(names.map((group) => [group, limiterFor(group, limits[group], redis)])) as Record<
    RateLimitGroup,
    Limiter
  >;
  return {
    consume: (group, caller) => groups[group].consume(caller),
    giveBack: (group, caller) => groups[group].giveBack(caller),
  };
}

/** How many keys of one group a process counts by itself. After that, it forgets those whose windows began first. */
const MAX_LOCAL_KEYS = 100_000;

interface Limiter {
  consume(key: string): Promise<RateLimitState>;
  giveBack(key: string): Promise<void>;
}

function limiterFor(group: RateLimitGroup, limit: RateLimit, redis: SharedCounting | undefined): Limiter {
  const options = { points: limit.points, duration: limit.seconds };
  const local = new RateLimiterMemory({ ...options, keyPrefix: '' });
  // The limiter keeps each key until its window ends, without a bound on their number.
  const localKeys = new LRUCache<string, true>({
    max: MAX_LOCAL_KEYS,
    dispose: (_, key, reason) => void (reason === 'evict' && local.delete(key)),
  });
  const here: Limiter = {
    consume: (key) => consume(local, key, limit, localKeys),
    giveBack: async (key) => void (localKeys.has(key) && (await local.reward(key))),
  };
  if (redis === undefined) return here;
  const { client, gate, namespace } = redis;
  const shared = new RateLimiterRedis({
    ...options,
    keyPrefix: `reelstream:${namespace}:limit:${group}`,
    storeClient: client,
  });
  return {
    consume: async (key) => (await gate.run(() => consume(shared, key, limit))) ?? (await here.consume(key)),
    giveBack: async (key) => void ((await gate.run(() => shared.reward(key))) ?? (await here.giveBack(key))),
  };
}

/**
 * Counts one request. rate-limiter-flexible rejects with a result when the caller is over the limit, and with an error when its store fails.
 * Without `await`, since every request passes here.
 * @param keys gets the key when a window begins
 */
function consume(
  limiter: RateLimiterAbstract,
  key: string,
  limit: RateLimit,
  keys?: LRUCache<string, true>,
): Promise<RateLimitState> {
  return limiter.consume(key).then(
    (result) => {
      if (result.isFirstInDuration) keys?.set(key, true);
      return stateOf(result, limit, true);
    },
    (error: unknown) => {
      if (error instanceof RateLimiterRes) return stateOf(error, limit, false);
      throw error;
    },
  );
}

function stateOf(
  { remainingPoints, msBeforeNext }: RateLimiterRes,
  { points }: RateLimit,
  allowed: boolean,
): RateLimitState {
  return {
    allowed,
    limit: points,
    remaining: Math.max(0, remainingPoints),
    resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)),
  };
}
