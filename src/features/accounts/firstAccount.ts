import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, type CommandOutcome } from '../../core/commandHandler.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { FIRST_ACCOUNT, userDecider, userStream, type RegisteredUser, type UserState } from './decider.ts';
import type { UserEvent } from './events.ts';

/**
 * A registration with an `Idempotency-Key` may be repeated after the process ended between the registration and the
 * grant. After this time (ms), which is that of the key, it grants nothing: the account may be older than
 * `FIRST_USER_IS_ADMIN`.
 */
const REPEATED_WITHIN_MS = 24 * 3_600_000;

export type GrantToFirst = (
  user: RegisteredUser,
  context: CommandContext,
) => Promise<CommandOutcome<UserEvent, UserState> | undefined>;

/**
 * Makes the account that registered first an admin. The order of the log decides which one that is, so of several
 * registrations at once exactly one gets the role. The log is read until the first account is known; from then on this
 * costs nothing. Returns undefined for every other account.
 */
export function createGrantToFirst(store: Pick<EventStore, 'append' | 'readStream' | 'readAll'>): GrantToFirst {
  let first: string | undefined;
  return async ({ id: userId, createdAt }, context) => {
    first ??= await firstAccount(store);
    if (first !== userId || context.now.getTime() - Date.parse(createdAt) > REPEATED_WITHIN_MS) return undefined;
    const command = { type: 'GrantAdmin', userId, by: FIRST_ACCOUNT, at: context.now.toISOString() } as const;
    return handleCommand(store, userDecider, userStream(userId), command, context);
  };
}

/** The id of the user who registered first. Undefined: nobody has registered. */
export async function firstAccount(store: Pick<EventStore, 'readAll'>): Promise<string | undefined> {
  for await (const { events } of store.readAll({ after: 0n, types: ['UserRegistered'], batchSize: 1 })) {
    const [event] = events;
    if (event !== undefined) return event.stream.slice(userStream('').length);
  }
  return undefined;
}
