export type RateLimitGroup = 'general' | 'auth' | 'upload';

export interface RateLimitState {
  readonly allowed: boolean;
  /** Requests a window. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window begins anew. */
  readonly resetSeconds: number;
}

/** Counts requests against the caller's share. Never fails and never makes a request wait long: when in doubt it counts locally. */
export interface RateLimits {
  /** `caller`: a user, else an address. Undefined when limits are turned off. */
  consume(group: RateLimitGroup, caller: string): Promise<RateLimitState | undefined>;
}

/** Requests (`points`) that one caller may make in a window of so many seconds. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
}

export const noRateLimits: RateLimits = { consume: () => Promise.resolve(undefined) };
