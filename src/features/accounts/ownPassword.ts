import { DomainError } from '../../core/errors.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import type { RegisteredUser } from './decider.ts';
import { countGuess } from './guesses.ts';
import { normalised, type NameHash } from './names.ts';
import type { Passwords } from './passwords.ts';

export interface PasswordChecks {
  readonly nameHash: NameHash;
  readonly passwords: Pick<Passwords, 'verify'>;
  readonly rateLimits: RateLimits;
}

/** A password that a signed-in user gave again. */
export interface GivenPassword {
  readonly password: string;
  /** The field of the request that has it. */
  readonly field: string;
  readonly address: string;
  /** The value of the cookie `device`. */
  readonly device: string | undefined;
}

/**
 * Checks the password of a signed-in user. Wrong ones are counted together with those at the login, so a stolen token
 * gives no more guesses.
 * @throws DomainError `password_wrong`, `rate_limited`, `too_many_guesses`
 */
export async function checkOwnPassword(
  { nameHash, passwords, rateLimits }: PasswordChecks,
  user: RegisteredUser,
  { password, field, address, device }: GivenPassword,
): Promise<void> {
  const account = nameHash('email', normalised(user.email));
  const wasRight = await countGuess(rateLimits, { account, address, device });
  if (!(await passwords.verify(password, user.passwordHash))) {
    const message = 'The password is wrong.';
    throw new DomainError('forbidden', 'password_wrong', message, { fields: [{ path: field, message }] });
  }
  await wasRight();
}
