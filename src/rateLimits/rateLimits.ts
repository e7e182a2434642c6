/**
 * What is counted apart, and by what.
 *
 * | group | counts | of one |
 * |---|---|---|
 * | `general` | requests | user, else address |
 * | `address` | requests of signed-in users | address |
 * | `login` | well-formed attempts to log in from devices that the account does not know | address |
 * | `refresh` | refreshes | session, else address |
 * | `upload` | uploads | user |
 * | `registration` | well-formed registrations | address |
 * | `guess` | wrong passwords for one account | device that the account knows, else address |
 * | `accountGuess` | wrong passwords from devices that the account does not know | account |
 * | `viewers` | viewers of one video who are counted | address |
 */
export type RateLimitGroup =
  'general' | 'address' | 'login' | 'refresh' | 'upload' | 'registration' | 'guess' | 'accountGuess' | 'viewers';

export interface RateLimitState {
  readonly allowed: boolean;
  /** Requests a window. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window begins anew. */
  readonly resetSeconds: number;
}

/** Counts against the caller's share. Never fails and never makes a request wait long: when in doubt it counts locally. */
export interface RateLimits {
  /** `caller`: a key like `user:<id>` or `ip:<address>`. Undefined when limits are turned off. */
  consume(group: RateLimitGroup, caller: string): Promise<RateLimitState | undefined>;
  /** Takes back one that was consumed. */
  giveBack(group: RateLimitGroup, caller: string): Promise<void>;
}

/** Requests (`points`) that one caller may make in a window of so many seconds. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
}

export const noRateLimits: RateLimits = {
  consume: () => Promise.resolve(undefined),
  giveBack: () => Promise.resolve(),
};
