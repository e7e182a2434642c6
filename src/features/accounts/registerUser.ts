import type { Appended } from '../../core/appended.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand } from '../../core/commandHandler.ts';
import { DomainError } from '../../core/errors.ts';
import { idFor } from '../../core/eventIds.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { userDecider, userStream, type RegisteredUser } from './decider.ts';
import type { GrantToFirst } from './firstAccount.ts';
import type { NameHash } from './names.ts';
import type { Passwords } from './passwords.ts';
import { abandonRegistration, claimName, releaseName } from './reservations.ts';

export interface RegisterUserDependencies {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly nameHash: NameHash;
  readonly passwords: Pick<Passwords, 'hash'>;
  /** Undefined: the first account is like any other (`FIRST_USER_IS_ADMIN`). */
  readonly grantToFirst: GrantToFirst | undefined;
}

export interface Registration {
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

/**
 * Reserves the e-mail, then the username, then registers the user: three streams, each of them safe to repeat.
 * A registration that fails releases what it reserved. One that ends half-way is abandoned by the next registration that
 * asks for its names. With an idempotency key a retry goes on with what the first try began. The first account of all
 * may become an admin.
 * @throws DomainError `email_taken` (also when both are), `username_taken`
 */
export async function registerUser(
  dependencies: RegisterUserDependencies,
  { name, username, email, password }: Registration,
  context: CommandContext,
): Promise<{ user: RegisteredUser; appended: Appended }> {
  const { store, passwords, grantToFirst } = dependencies;
  // Before anything is reserved, because it takes long.
  const passwordHash = await passwords.hash(password);
  const userId = idFor(context, 'user');
  // Each step sees in its stream whether it has been done, so it needs no derived event ids.
  const step: CommandContext = { ...context, actor: userId, idempotencyKey: undefined };
  const at = context.now.toISOString();
  await claimName(dependencies, { what: 'email', value: email, userId }, step);
  try {
    await claimName(dependencies, { what: 'username', value: username, userId }, step);
    const command = { type: 'RegisterUser', userId, name, username, email, passwordHash, at } as const;
    const registered = await handleCommand(store, userDecider, userStream(userId), command, step);
    const granted = await grantToFirst?.(registered.state as RegisteredUser, step);
    const { state, ...appended } = granted ?? registered;
    return { user: state as RegisteredUser, appended };
  } catch (error) {
    // After any other error (the log is not available) it is unknown what was written. A retry, or the next registration
    // of these names, continues from there.
    if (error instanceof DomainError && (await abandonRegistration(store, userId, step))) {
      await releaseName(dependencies, { what: 'username', value: username, userId }, step);
      await releaseName(dependencies, { what: 'email', value: email, userId }, step);
    }
    throw error;
  }
}
