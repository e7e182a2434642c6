/**
 * Each group counts by itself.
 *
 * | group | counts | per |
 * |---|---|---|
 * | `general` | requests | user, or address without a user |
 * | `address` | requests of signed-in users | address |
 * | `login` | well-formed attempts to log in from devices that the account does not know | address |
 * | `refresh` | refreshes | session, or address without a session |
 * | `upload` | uploads | user |
 * | `report` | reports of videos | user |
 * | `registration` | well-formed registrations | address |
 * | `guess` | wrong passwords for one account | device that the account knows, or address |
 * | `accountGuess` | wrong passwords from devices that the account does not know | account |
 * | `viewers` | viewers of one video whose views are counted | address |
 */
export type RateLimitGroup =
  | 'general'
  | 'address'
  | 'login'
  | 'refresh'
  | 'upload'
  | 'report'
  | 'registration'
  | 'guess'
  | 'accountGuess'
  | 'viewers';

export interface RateLimitState {
  readonly allowed: boolean;
  /** Requests per window. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the next window begins. */
  readonly resetSeconds: number;
}

/** Never fails and never makes a request wait long: while Redis does not answer, each process counts by itself. */
export interface RateLimits {
  /** Counts one request. `caller`: a key like `user:<id>`, or `addressKey`. Resolves with undefined when limits are turned off. */
  consume(group: RateLimitGroup, caller: string): Promise<RateLimitState | undefined>;
  /** Takes back one `consume`. */
  giveBack(group: RateLimitGroup, caller: string): Promise<void>;
}

/** One caller may make `points` requests in a window of `seconds`. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
}

export const noRateLimits: RateLimits = {
  consume: () => Promise.resolve(undefined),
  giveBack: () => Promise.resolve(),
};
