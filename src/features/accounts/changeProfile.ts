import type { Appended } from '../../core/appended.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand } from '../../core/commandHandler.ts';
import { DomainError } from '../../core/errors.ts';
import { RevisionConflict } from '../../core/eventStore.ts';
import { holds, userDecider, userStream, type Profile, type RegisteredUser } from './decider.ts';
import { readRegistered } from './readAccount.ts';
import {
  abandonProfileChange,
  claimName,
  releaseName,
  reservationNumber,
  type NameClaim,
  type Reservations,
} from './reservations.ts';

/** Each time, another request of the same user was faster, or somebody wants a name that this user does not use. */
const MOST_ATTEMPTS = 10;

/** A name with the number of the reservation by which the user has it. */
type Reserved = NameClaim & { readonly number: number };

/**
 * Reserves the new e-mail, then the new username, then changes the user, then releases the old names. Each is a stream of
 * its own. The change meets a conflict when the user's stream has moved since it was read: then all begins again, with new
 * reservations. So a name that was taken over from a slow change never has two users. A change that ends half-way leaves a
 * reservation, which the next one who asks for the name takes over.
 * @throws DomainError `email_taken` (also when both are), `username_taken`, `user_unknown`
 */
export async function changeProfile(
  reservations: Reservations,
  userId: string,
  change: Partial<Profile>,
  context: CommandContext,
): Promise<{ user: RegisteredUser; appended: Appended }> {
  const { store } = reservations;
  // Each step sees in its stream whether it has been done, so it needs no derived event ids.
  const step: CommandContext = { ...context, idempotencyKey: undefined };
  for (let attempt = 1; ; attempt++) {
    const { state: before, revision } = await readRegistered(store, userId);
    const claimed: Reserved[] = [];
    try {
      const old = await reserve(reservations, before, change, claimed, step);
      const command = { type: 'ChangeProfile', ...change, at: context.now.toISOString() } as const;
      const options = { expectedRevision: revision! };
      const outcome = await handleCommand(store, userDecider, userStream(userId), command, context, options);
      const { state, ...appended } = outcome;
      const user = state as RegisteredUser;
      await releaseUnused(reservations, user, [...old, ...claimed], step);
      return { user, appended };
    } catch (error) {
      if (error instanceof RevisionConflict && attempt < MOST_ATTEMPTS) continue;
      // After any other error (the log is not available) it is unknown what was written. The reservations stay until
      // somebody takes them over.
      if (error instanceof DomainError || error instanceof RevisionConflict)
        for (const claim of claimed) {
          const user = await abandonProfileChange(store, claim, step);
          if (user.status === 'registered') await releaseUnused(reservations, user, [claim], step);
        }
      throw error;
    }
  }
}

/** Adds the new names to `claimed` as they are reserved. @returns the old names that they replace */
async function reserve(
  reservations: Reservations,
  user: RegisteredUser,
  change: Partial<Profile>,
  claimed: Reserved[],
  context: CommandContext,
): Promise<Reserved[]> {
  const old: Reserved[] = [];
  for (const what of ['email', 'username'] as const) {
    const value = change[what];
    if (value === undefined || holds(user, what, value)) continue;
    const present = { what, value: user[what], userId: user.id };
    const presentNumber = await reservationNumber(reservations, present);
    if (presentNumber !== undefined) old.push({ ...present, number: presentNumber });
    const claim = { what, value, userId: user.id };
    claimed.push({ ...claim, number: await claimName(reservations, claim, context, { renew: true }) });
  }
  return old;
}

/** Releases those that are not names of the user. One that a later request has reserved again has another number. */
async function releaseUnused(
  reservations: Reservations,
  user: RegisteredUser,
  reserved: readonly Reserved[],
  context: CommandContext,
): Promise<void> {
  for (const claim of reserved)
    if (!holds(user, claim.what, claim.value)) await releaseName(reservations, claim, context);
}
