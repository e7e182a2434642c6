import { callerKey } from '../../rateLimits/callerKey.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import { tooMany } from '../../rateLimits/tooMany.ts';

/** An attempt to log in, before its password is checked. */
export interface Guess {
  /** The hash of the e-mail, whether or not there is such an account: refusals must not show which. */
  readonly account: string;
  readonly address: string;
  /** A device from which somebody has logged in to this account before. */
  readonly device: string | undefined;
}

/**
 * Counts a guess before the password is checked, so that guesses sent at once do not slip through. Answers how to take
 * it back once the password turned out to be right.
 *
 * Nobody can lock an owner out by guessing: devices that the account knows have a count of their own, and an address
 * from which nobody guesses always gets a try (docs/adr/0034-who-is-limited-by-what.md).
 * @throws DomainError `rate_limited` (the address, whatever the accounts), `too_many_guesses` (this account)
 */
export async function countGuess(
  rateLimits: RateLimits,
  { account, address, device }: Guess,
): Promise<() => Promise<void>> {
  // Known devices are exempt: otherwise whoever shares the address with an owner could keep the owner out.
  const attempts = device === undefined ? await rateLimits.consume('login', `ip:${address}`) : undefined;
  if (attempts?.allowed === false) throw tooMany('Too many attempts to log in from this address', attempts);

  const guesser = device === undefined ? `${account} ${callerKey(`ip:${address}`)}` : `${account} device:${device}`;
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
