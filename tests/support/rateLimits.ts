import type { RateLimit, RateLimitGroup } from '../../src/rateLimits/rateLimits.ts';

const plenty: RateLimit = { points: 1_000_000, seconds: 60 };

/** Limits so high that no test reaches them, except those that are given. */
export function onlyLimiting(limits: Partial<Record<RateLimitGroup, RateLimit>>): Record<RateLimitGroup, RateLimit> {
  return {
    general: plenty,
    address: plenty,
    login: plenty,
    refresh: plenty,
    upload: plenty,
    report: plenty,
    registration: plenty,
    guess: plenty,
    accountGuess: plenty,
    viewers: plenty,
    ...limits,
  };
}
