import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { UserEvent, UserRegistered } from './events.ts';

export type UserCommand =
  | ({ readonly type: 'RegisterUser' } & UserRegistered['data'])
  /** Gives up a registration that has not finished. Without effect on a registered user. */
  | { readonly type: 'AbandonRegistration'; readonly userId: string; readonly at: string };

export interface RegisteredUser {
  readonly status: 'registered';
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly passwordHash: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type UserState = { readonly status: 'none' } | { readonly status: 'abandoned' } | RegisteredUser;

export const userDecider: Decider<UserCommand, UserEvent, UserState> = {
  initialState: { status: 'none' },

  decide(command, { status }) {
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
    }
  },

  evolve(_state, { type, data }) {
    switch (type) {
      case 'UserRegistered': {
        const { userId: id, name, username, email, passwordHash, at } = data;
        return { status: 'registered', id, name, username, email, passwordHash, createdAt: at, updatedAt: at };
      }
      case 'RegistrationAbandoned':
        return { status: 'abandoned' };
    }
  },
};

export function userStream(userId: string): string {
  return `user-${userId}`;
}

function registrationAbandoned(): DomainError {
  return new DomainError(
    'conflict',
    'registration_abandoned',
    'This registration took too long and was abandoned; register again.',
  );
}
