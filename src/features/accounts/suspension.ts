import { DomainError } from '../../core/errors.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { RegisteredUser } from './decider.ts';
import { readUser } from './readAccount.ts';

/** Reads the user's stream. @throws DomainError `account_suspended` */
export async function refuseSuspended(store: Pick<EventStore, 'readStream'>, userId: string): Promise<void> {
  const user = await readUser(store, userId);
  if (user.status === 'registered' && user.suspended !== null) throw accountSuspended(user.suspended);
}

export function accountSuspended({ reason, at }: NonNullable<RegisteredUser['suspended']>): DomainError {
  return new DomainError(
    'forbidden',
    'account_suspended',
    `This account has been suspended since ${at.slice(0, 10)}. The reason: ${reason}`,
  );
}
