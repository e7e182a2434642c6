import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { AdminChange, Suspension, UserEvent, UserRegistered } from './events.ts';
import { normalised } from './names.ts';
import type { ReservedName } from './reservation.decider.ts';

export type UserCommand =
  | ({ readonly type: 'RegisterUser' } & UserRegistered['data'])
  /** Gives up a registration that has not finished. Without effect on a registered user. */
  | { readonly type: 'AbandonRegistration'; readonly userId: string; readonly at: string }
  /** The caller has reserved the username and the e-mail. What is absent or the same does not change. */
  | ({ readonly type: 'ChangeProfile'; readonly at: string } & Partial<Profile>)
  /** Makes a change to this name that is under way begin again. Without effect if the user has the name. */
  | { readonly type: 'AbandonProfileChange'; readonly what: ReservedName; readonly value: string; readonly at: string }
  /** Ends all sessions but one. */
  | {
      readonly type: 'ChangePassword';
      readonly passwordHash: string;
      readonly keptSession: string | null;
      readonly at: string;
    }
  | { readonly type: 'RevokeOtherSessions'; readonly keptSession: string | null; readonly at: string }
  | ({ readonly type: 'SuspendUser' | 'ReinstateUser' } & Suspension)
  | ({ readonly type: 'GrantAdmin' } & AdminChange)
  | ({ readonly type: 'RevokeAdmin' } & AdminChange)
  | { readonly type: 'ForgetUser'; readonly at: string };

/** The `by` of a role that was granted because nobody had registered before. */
export const FIRST_ACCOUNT = 'first account';

/** What a user may change about themselves. */
export interface Profile {
  readonly name: string;
  readonly username: string;
  readonly email: string;
}

export interface RegisteredUser extends Profile {
  readonly status: 'registered';
  readonly id: string;
  readonly passwordHash: string;
  /** How often all other sessions were ended. A session that was started under a lower number has ended. */
  readonly generation: number;
  /** The session that stayed the last time; null for none. */
  readonly keptSession: string | null;
  /** Whether the role admin was granted, and not revoked since. `roleOf` tells the role, which may have another source. */
  readonly admin: 'never' | 'granted' | 'revoked';
  /** Null unless the user is suspended. */
  readonly suspended: Omit<Suspension, 'userId'> | null;
  readonly createdAt: string;
  /** When name, username or e-mail changed last. */
  readonly updatedAt: string;
}

/** The names are those of the user until the user's key is deleted, then `FORGOTTEN`. */
export interface ForgottenUser extends Pick<Profile, 'username' | 'email'> {
  readonly status: 'forgotten';
  readonly id: string;
}

export type UserState = { readonly status: 'none' } | { readonly status: 'abandoned' } | RegisteredUser | ForgottenUser;

export const userDecider: Decider<UserCommand, UserEvent, UserState> = {
  initialState: { status: 'none' },

  decide(command, state) {
    const { status } = state;
    switch (command.type) {
      case 'RegisterUser': {
        if (status === 'abandoned') throw registrationAbandoned();
        if (status === 'forgotten') throw accountDeleted();
        const { type: _, ...data } = command;
        return status === 'registered' ? [] : [{ type: 'UserRegistered', data }];
      }
      case 'AbandonRegistration': {
        const { userId, at } = command;
        return status === 'none' ? [{ type: 'RegistrationAbandoned', data: { userId, at } }] : [];
      }
      case 'ChangeProfile': {
        if (state.status !== 'registered') throw accountUnknown();
        const { name = state.name, username = state.username, email = state.email, at } = command;
        const userId = state.id;
        const events: UserEvent[] = [];
        if (name !== state.name) events.push({ type: 'NameChanged', data: { userId, name, at } });
        if (username !== state.username) events.push({ type: 'UsernameChanged', data: { userId, username, at } });
        if (email !== state.email) events.push({ type: 'EmailChanged', data: { userId, email, at } });
        return events;
      }
      case 'AbandonProfileChange': {
        if (state.status !== 'registered' || holds(state, command.what, command.value)) return [];
        return [{ type: 'ProfileChangeAbandoned', data: { userId: state.id, at: command.at } }];
      }
      case 'ChangePassword': {
        if (state.status !== 'registered') throw accountUnknown();
        const { type: _, ...data } = command;
        return [{ type: 'PasswordChanged', data: { userId: state.id, generation: state.generation + 1, ...data } }];
      }
      case 'RevokeOtherSessions': {
        if (state.status !== 'registered') throw accountUnknown();
        const { type: _, ...data } = command;
        return [
          { type: 'OtherSessionsRevoked', data: { userId: state.id, generation: state.generation + 1, ...data } },
        ];
      }
      case 'SuspendUser': {
        if (state.status !== 'registered') throw accountUnknown();
        const { type: _, ...data } = command;
        if (data.by === data.userId)
          throw new DomainError('conflict', 'own_account', 'You cannot suspend your own account.');
        if (state.suspended !== null) return [];
        return [{ type: 'UserSuspended', data: { ...data, generation: state.generation + 1, keptSession: null } }];
      }
      case 'ReinstateUser': {
        if (state.status !== 'registered') throw accountUnknown();
        const { type: _, ...data } = command;
        return state.suspended === null ? [] : [{ type: 'UserReinstated', data }];
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
      case 'ForgetUser': {
        if (state.status === 'forgotten') return [];
        if (state.status !== 'registered') throw accountUnknown();
        return [{ type: 'UserForgotten', data: { userId: state.id, at: command.at } }];
      }
    }
  },

  evolve(state, { type, data }) {
    switch (type) {
      case 'UserRegistered': {
        const { userId: id, name, username, email, passwordHash, at } = data;
        const profile = { id, name, username, email, passwordHash, createdAt: at, updatedAt: at };
        return { status: 'registered', ...profile, generation: 0, keptSession: null, admin: 'never', suspended: null };
      }
      case 'RegistrationAbandoned':
        return { status: 'abandoned' };
      case 'NameChanged':
      case 'UsernameChanged':
      case 'EmailChanged': {
        const { userId: _, at, ...change } = data;
        return state.status === 'registered' ? { ...state, ...change, updatedAt: at } : state;
      }
      case 'ProfileChangeAbandoned':
        return state;
      case 'PasswordChanged':
      case 'OtherSessionsRevoked': {
        const { userId: _, at: __, ...change } = data;
        return state.status === 'registered' ? { ...state, ...change } : state;
      }
      case 'UserSuspended': {
        const { userId: _, generation, keptSession, ...suspended } = data;
        return state.status === 'registered' ? { ...state, generation, keptSession, suspended } : state;
      }
      case 'UserReinstated':
        return state.status === 'registered' ? { ...state, suspended: null } : state;
      case 'AdminGranted':
        return state.status === 'registered' ? { ...state, admin: 'granted' } : state;
      case 'AdminRevoked':
        return state.status === 'registered' ? { ...state, admin: 'revoked' } : state;
      case 'UserForgotten': {
        if (state.status !== 'registered') return state;
        const { id, username, email } = state;
        return { status: 'forgotten', id, username, email };
      }
    }
  },
};

/** Whether this is the name of the user, however it is written. */
export function holds(user: RegisteredUser, what: ReservedName, value: string): boolean {
  return normalised(user[what]) === normalised(value);
}

export function userStream(userId: string): string {
  return `user-${userId}`;
}

export function accountUnknown(): DomainError {
  return new DomainError('notFound', 'account_unknown', 'There is no such account.');
}

function accountDeleted(): DomainError {
  return new DomainError(
    'conflict',
    'account_deleted',
    'The account of this registration was deleted; register again with another Idempotency-Key.',
  );
}

function registrationAbandoned(): DomainError {
  return new DomainError(
    'conflict',
    'registration_abandoned',
    'This registration took too long and was abandoned; register again.',
  );
}
