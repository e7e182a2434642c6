import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { noRateLimits, type RateLimit, type RateLimitGroup, type RateLimits, type RateLimitState } from './rateLimits.ts';

export interface RateLimitOptions {
  readonly enabled: boolean;
  readonly limits: Readonly<Record<RateLimitGroup, RateLimit>>;
  /** Shared by all API processes; without it, or while it is away, each counts by itself. */
  readonly redis?: Redis;
  /** What a request waits for Redis at most; 100 by default. */
  readonly redisTimeoutMs?: number;
}

export function createRateLimits({ enabled, limits, redis, redisTimeoutMs = 100 }: RateLimitOptions): RateLimits {
  if (!enabled) return noRateLimits;
  const groups: Record<RateLimitGroup, Limiter> = {
    general: limiterFor('general', limits.general, redis, redisTimeoutMs),
    auth: limiterFor('auth', limits.auth, redis, redisTimeoutMs),
    upload: limiterFor('upload', limits.upload, redis, redisTimeoutMs),
  };
  return { consume: (group, caller) => groups[group](callerKey(caller)) };
}

type Limiter = (key: string) => Promise<RateLimitState>;

function limiterFor(group: RateLimitGroup, limit: RateLimit, redis: Redis | undefined, timeoutMs: number): Limiter {
  const options = { keyPrefix: `reelstream:limit:${group}`, points: limit.points, duration: limit.seconds };
  const local = new RateLimiterMemory(options);
  if (redis === undefined) return (key) => consume(local, key, limit);
  const shared = new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true });
  /** Commands that Redis has not answered in time. While one is out, Redis counts as away: the next would hang in the same queue. */
  let overdue = 0;
  return async (key) => {
    if (overdue > 0) return consume(local, key, limit);
    const answer = consume(shared, key, limit);
    const winner = await within(timeoutMs, answer);
    if (winner === 'late') {
      overdue += 1;
      const settled = (): void => {
        overdue -= 1;
      };
      answer.then(settled, settled);
    }
    return typeof winner === 'object' ? winner : consume(local, key, limit);
  };
}

/** Counts one request. rate-limiter-flexible rejects with a result when the caller is over, and with an error when its store failed. */
async function consume(limiter: RateLimiterAbstract, key: string, limit: RateLimit): Promise<RateLimitState> {
  try {
    return stateOf(await limiter.consume(key), limit, true);
  } catch (error) {
    if (error instanceof RateLimiterRes) return stateOf(error, limit, false);
    throw error;
  }
}

function stateOf(result: RateLimiterRes, { points }: RateLimit, allowed: boolean): RateLimitState {
  return { allowed, limit: points, remaining: Math.max(0, result.remainingPoints), resetSeconds: Math.max(1, Math.ceil(result.msBeforeNext / 1000)) };
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T | 'late' | 'failed'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([answer.catch(() => 'failed' as const), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One household has a whole IPv6 /64: counting single addresses of it would count nothing. */
function callerKey(caller: string): string {
  if (!caller.startsWith('ip:') || !caller.includes(':', 3) || caller.includes('.')) return caller;
  return `ip:${expandIpv6(caller.slice(3)).slice(0, 4).join(':')}`;
}

function expandIpv6(address: string): string[] {
  const [head = '', tail] = address.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left;
  const right = tail === '' ? [] : tail.split(':');
  return [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
}
