import { addressKey } from '../../rateLimits/addressKey.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import { tooMany } from '../../rateLimits/tooMany.ts';

/** An attempt to log in, before its password is checked. */
export interface Guess {
  /** The hash of the e-mail, whether or not the account exists: a refusal must not reveal it. */
  readonly account: string;
  readonly address: string;
  /** The id of a device that has logged in to this account before. */
  readonly device: string | undefined;
}

/**
 * Counts a guess before the password is checked, so that guesses sent at once are all counted. Returns a function that
 * takes the count back, for a right password.
 *
 * Guessing cannot lock an owner out: known devices have their own count, and an address without guesses always has one
 * try (docs/adr/0034-who-is-limited-by-what.md).
 * @throws DomainError `rate_limited` (the address, whatever the accounts), `too_many_guesses` (this account)
 */
export async function countGuess(
  rateLimits: RateLimits,
  { account, address, device }: Guess,
): Promise<() => Promise<void>> {
  // Known devices are exempt. Otherwise others at the owner's address could lock the owner out.
  const attempts = device === undefined ? await rateLimits.consume('login', addressKey(address)) : undefined;
  if (attempts?.allowed === false) throw tooMany('Too many attempts to log in from this address', attempts);

  const guesser = device === undefined ? `${account} ${addressKey(address)}` : `${account} device:${device}`;
  const own = await rateLimits.consume('guess', guesser);
  if (own === undefined) return () => Promise.resolve();
  if (!own.allowed) throw tooMany('Too many wrong passwords for this account', own, 'too_many_guesses');
  if (device !== undefined) return () => rateLimits.giveBack('guess', guesser);

  const all = await rateLimits.consume('accountGuess', account);
  const isFirst = own.remaining === own.limit - 1;
  if (all?.allowed === false && !isFirst)
    throw tooMany('Too many wrong passwords for this account', own, 'too_many_guesses');
  return async () => {
    await Promise.all([rateLimits.giveBack('guess', guesser), rateLimits.giveBack('accountGuess', account)]);
  };
}
