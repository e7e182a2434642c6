import { DomainError } from '../../core/errors.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { readState, type Evolution } from '../../core/readState.ts';
import type { UserEvent } from '../accounts/index.ts';

const suspension: Evolution<UserEvent, boolean> = {
  initialState: false,
  evolve: (isSuspended, { type }) => type === 'UserSuspended' || (isSuspended && type !== 'UserReinstated'),
};

/**
 * Reads the stream of the user, because an upload may have begun before the suspension. It does not use the decider of the
 * feature `accounts`, which imports this feature.
 * @throws DomainError `account_suspended`
 */
export async function refuseSuspended(store: Pick<EventStore, 'readStream'>, userId: string): Promise<void> {
  const { state: isSuspended } = await readState(store, suspension, `user-${userId}`);
  if (isSuspended) throw new DomainError('forbidden', 'account_suspended', 'This account is suspended.');
}
