import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { AdminChange, UserEvent, UserRegistered } from './events.ts';

export type UserCommand =
  | ({ readonly type: 'RegisterUser' } & UserRegistered['data'])
  /** Gives up a registration that has not finished. Without effect on a registered user. */
  | { readonly type: 'AbandonRegistration'; readonly userId: string; readonly at: string }
  | ({ readonly type: 'GrantAdmin' } & AdminChange)
  | ({ readonly type: 'RevokeAdmin' } & AdminChange);

/** The `by` of a role that was granted because nobody had registered before. */
export const FIRST_ACCOUNT = 'first account';

export interface RegisteredUser {
  readonly status: 'registered';
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly passwordHash: string;
  /** Whether the role admin was granted, and not revoked since. `roleOf` tells the role, which may have another source. */
  readonly admin: 'never' | 'granted' | 'revoked';
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type UserState = { readonly status: 'none' } | { readonly status: 'abandoned' } | RegisteredUser;

export const userDecider: Decider<UserCommand, UserEvent, UserState> = {
  initialState: { status: 'none' },

  decide(command, state) {
    const { status } = state;
    switch (command.type) {
      case 'RegisterUser': {
        if (status === 'abandoned') throw registrationAbandoned();
        const { type: _, ...data } = command;
        return status === 'registered' ? [] : [{ type: 'UserRegistered', data }];
      }
      case 'AbandonRegistration': {
        const { userId, at } = command;
        return status === 'none' ? [{ type: 'RegistrationAbandoned', data: { userId, at } }] : [];
      }
      case 'GrantAdmin': {
        if (state.status !== 'registered') throw accountUnknown();
        const { type: _, ...data } = command;
        // The first account may repeat its registration after its role was revoked. It does not get the role again.
        const isSettled = data.by === FIRST_ACCOUNT ? state.admin !== 'never' : state.admin === 'granted';
        return isSettled ? [] : [{ type: 'AdminGranted', data }];
      }
      case 'RevokeAdmin': {
        if (state.status !== 'registered') throw accountUnknown();
        const { type: _, ...data } = command;
        return state.admin === 'granted' ? [{ type: 'AdminRevoked', data }] : [];
      }
    }
  },

  evolve(state, { type, data }) {
    switch (type) {
      case 'UserRegistered': {
        const { userId: id, name, username, email, passwordHash, at } = data;
        const profile = { id, name, username, email, passwordHash, createdAt: at, updatedAt: at };
        return { status: 'registered', ...profile, admin: 'never' };
      }
      case 'RegistrationAbandoned':
        return { status: 'abandoned' };
      case 'AdminGranted':
        return state.status === 'registered' ? { ...state, admin: 'granted' } : state;
      case 'AdminRevoked':
        return state.status === 'registered' ? { ...state, admin: 'revoked' } : state;
    }
  },
};

export function userStream(userId: string): string {
  return `user-${userId}`;
}

function accountUnknown(): DomainError {
  return new DomainError('notFound', 'account_unknown', 'There is no such account.');
}

function registrationAbandoned(): DomainError {
  return new DomainError(
    'conflict',
    'registration_abandoned',
    'This registration took too long and was abandoned; register again.',
  );
}
