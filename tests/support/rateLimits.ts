import type { RateLimit, RateLimitGroup } from '../../src/rateLimits/rateLimits.ts';

const plenty: RateLimit = { points: 1_000_000, seconds: 60 };

/** Limits that nothing reaches, but for those that are named. */
export function onlyLimiting(limits: Partial<Record<RateLimitGroup, RateLimit>>): Record<RateLimitGroup, RateLimit> {
  return {
    general: plenty,
    address: plenty,
    login: plenty,
    refresh: plenty,
    upload: plenty,
    registration: plenty,
    guess: plenty,
    accountGuess: plenty,
    viewers: plenty,
    ...limits,
  };
}
