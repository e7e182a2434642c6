import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, type CommandOutcome } from '../../core/commandHandler.ts';
import { eventIdFor } from '../../core/eventIds.ts';
import { RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import { readState } from '../../core/readState.ts';
import { userDecider, userStream, type UserCommand, type UserState } from './decider.ts';
import type { UserEvent } from './events.ts';
import { checkOwnPassword, type GivenPassword, type PasswordChecks } from './ownPassword.ts';
import type { Passwords } from './passwords.ts';
import { userUnknown } from './readAccount.ts';

export interface PasswordChanges extends PasswordChecks {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly passwords: Passwords;
}

export interface PasswordChange {
  readonly current: GivenPassword;
  readonly newPassword: string;
  /** The session that stays. */
  readonly keptSession: string | null;
}

export type UserOutcome = CommandOutcome<UserEvent, UserState>;

/** Each time, the user's stream has moved while the password was checked. */
const MOST_ATTEMPTS = 5;

/**
 * Changes the password and ends all other sessions of the user, with one event. Of two changes at once, the second one must
 * know the password of the first one. A request that is repeated under its idempotency key succeeds again, although the
 * password is no longer the one that it names.
 * @throws DomainError as `checkOwnPassword`; `user_unknown`, `busy`
 */
export async function changePassword(
  changes: PasswordChanges,
  userId: string,
  change: PasswordChange,
  context: CommandContext,
): Promise<UserOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryToChange(changes, userId, change, context);
    } catch (error) {
      if (!(error instanceof RevisionConflict) || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

async function tryToChange(
  changes: PasswordChanges,
  userId: string,
  { current, newPassword, keptSession }: PasswordChange,
  context: CommandContext,
): Promise<UserOutcome> {
  const { store, passwords } = changes;
  const stream = userStream(userId);
  const ownId = context.idempotencyKey === undefined ? undefined : eventIdFor(context, stream, 0);
  let isRepeat = false;
  const onEvent = ({ id }: { readonly id: string }): void => void (isRepeat ||= id === ownId);
  const { state: user, revision } = await readState(store, userDecider, stream, { onEvent });
  if (user.status !== 'registered') throw userUnknown();
  if (!isRepeat) await checkOwnPassword(changes, user, current);
  const passwordHash = isRepeat ? user.passwordHash : await passwords.hash(newPassword);
  const command: UserCommand = { type: 'ChangePassword', passwordHash, keptSession, at: context.now.toISOString() };
  return handleCommand(store, userDecider, stream, command, context, { expectedRevision: revision! });
}

/** Ends all sessions of a user but one. */
export async function revokeOtherSessions(
  store: PasswordChanges['store'],
  userId: string,
  keptSession: string | null,
  context: CommandContext,
): Promise<UserOutcome> {
  const command: UserCommand = { type: 'RevokeOtherSessions', keptSession, at: context.now.toISOString() };
  return handleCommand(store, userDecider, userStream(userId), command, context);
}
