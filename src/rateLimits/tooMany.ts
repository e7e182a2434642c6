import { DomainError } from '../core/errors.ts';
import type { RateLimitState } from './rateLimits.ts';

/** The error for a caller who is over a limit. Its message begins with `what`. */
export function tooMany(what: string, { resetSeconds }: RateLimitState, code = 'rate_limited'): DomainError {
  return new DomainError('rateLimited', code, `${what}; try again in ${inWords(resetSeconds)}.`, {
    retryAfter: resetSeconds,
  });
}

function inWords(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
}
