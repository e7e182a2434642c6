import { describe, test } from '@jest/globals';
import { given } from '../../core/spec.ts';
import { FIRST_ACCOUNT, userDecider, type UserCommand } from './decider.ts';
import type { UserEvent } from './events.ts';

const at = '2025-01-01T00:00:00.000Z';
const ada = { userId: 'u1', name: 'Ada', username: 'ada', email: 'ada@example.org', passwordHash: '$argon2id$…', at };
const register: UserCommand = { type: 'RegisterUser', ...ada };
const abandon: UserCommand = { type: 'AbandonRegistration', userId: 'u1', at };
const registered: UserEvent = { type: 'UserRegistered', data: ada };
const abandoned: UserEvent = { type: 'RegistrationAbandoned', data: { userId: 'u1', at } };

const revoked: UserEvent = { type: 'AdminRevoked', data: { userId: 'u1', by: 'command line', at } };
function grant(by: string): UserCommand {
  return { type: 'GrantAdmin', userId: 'u1', by, at };
}
function granted(by: string): UserEvent {
  return { type: 'AdminGranted', data: { userId: 'u1', by, at } };
}
const revoke: UserCommand = { type: 'RevokeAdmin', userId: 'u1', by: 'command line', at };

describe('the role admin', () => {
  test('is granted and revoked, each once', () => {
    given(userDecider, [registered])
      .when(grant('u2'))
      .then([granted('u2')]);
    given(userDecider, [registered, granted('u2')])
      .when(grant('command line'))
      .thenNothing();
    given(userDecider, [registered, granted('u2')])
      .when(revoke)
      .then([revoked]);
    given(userDecider, [registered, granted('u2'), revoked])
      .when(revoke)
      .thenNothing();
    given(userDecider, [registered]).when(revoke).thenNothing();
  });
  test('can be granted again, but not to the first account by itself', () => {
    given(userDecider, [registered, granted(FIRST_ACCOUNT), revoked])
      .when(grant('u2'))
      .then([granted('u2')]);
    given(userDecider, [registered, granted(FIRST_ACCOUNT), revoked])
      .when(grant(FIRST_ACCOUNT))
      .thenNothing();
    given(userDecider, [registered])
      .when(grant(FIRST_ACCOUNT))
      .then([granted(FIRST_ACCOUNT)]);
  });
  test('is only for users', () => {
    for (const history of [[], [abandoned]])
      for (const command of [grant('u2'), revoke])
        given(userDecider, history).when(command).thenThrows('account_unknown');
  });
});

describe('a user', () => {
  test('is registered', () => given(userDecider, []).when(register).then([registered]));
  test('is registered once, however often it is asked for', () =>
    given(userDecider, [registered]).when(register).thenNothing());
  test('is not registered after the registration was abandoned', () =>
    given(userDecider, [abandoned]).when(register).thenThrows('registration_abandoned'));
  test('whose registration has not finished can be abandoned', () =>
    given(userDecider, []).when(abandon).then([abandoned]));
  test('whose registration was abandoned is not abandoned again', () =>
    given(userDecider, [abandoned]).when(abandon).thenNothing());
  test('who is registered cannot be abandoned', () => given(userDecider, [registered]).when(abandon).thenNothing());
});

describe('a user who is forgotten', () => {
  const forget: UserCommand = { type: 'ForgetUser', at };
  const forgotten: UserEvent = { type: 'UserForgotten', data: { userId: 'u1', at } };

  test('is forgotten once', () => {
    given(userDecider, [registered]).when(forget).then([forgotten]);
    given(userDecider, [registered, forgotten]).when(forget).thenNothing();
  });
  test('must have been a user', () => {
    for (const history of [[], [abandoned]]) given(userDecider, history).when(forget).thenThrows('account_unknown');
  });
  test('is no user any more', () => {
    for (const command of [grant('u2'), revoke, { type: 'ChangeProfile', name: 'Ada', at } as const])
      given(userDecider, [registered, granted('u2'), forgotten])
        .when(command)
        .thenThrows('account_unknown');
  });
  test('does not come back when the registration is repeated', () => {
    given(userDecider, [registered, forgotten]).when(register).thenThrows('account_deleted');
    given(userDecider, [registered, forgotten]).when(abandon).thenNothing();
  });
});

describe('the profile', () => {
  const changed = (type: 'NameChanged' | 'UsernameChanged' | 'EmailChanged', change: object): UserEvent =>
    ({ type, data: { userId: 'u1', ...change, at } }) as UserEvent;

  test('changes by what is given and new', () => {
    given(userDecider, [registered])
      .when({ type: 'ChangeProfile', name: 'Ada L.', username: 'ada', email: 'a@example.org', at })
      .then([changed('NameChanged', { name: 'Ada L.' }), changed('EmailChanged', { email: 'a@example.org' })]);
    given(userDecider, [registered, changed('UsernameChanged', { username: 'lovelace' })])
      .when({ type: 'ChangeProfile', username: 'lovelace', at })
      .thenNothing();
  });
  test('is that of users only', () =>
    given(userDecider, []).when({ type: 'ChangeProfile', name: 'Ada', at }).thenThrows('account_unknown'));
  test('a change under way is abandoned, unless the user has the name', () => {
    const give = (value: string): UserCommand => ({ type: 'AbandonProfileChange', what: 'username', value, at });
    given(userDecider, [registered])
      .when(give('lovelace'))
      .then([{ type: 'ProfileChangeAbandoned', data: { userId: 'u1', at } }]);
    given(userDecider, [registered]).when(give('ADA')).thenNothing();
    given(userDecider, []).when(give('ada')).thenNothing();
  });
});

describe('a change of the password, and the end of all other sessions', () => {
  const ended = (generation: number, keptSession: string | null): UserEvent => ({
    type: 'OtherSessionsRevoked',
    data: { userId: 'u1', generation, keptSession, at },
  });

  test('count together', () => {
    given(userDecider, [registered])
      .when({ type: 'RevokeOtherSessions', keptSession: 's1', at })
      .then([ended(1, 's1')]);
    given(userDecider, [registered, ended(1, 's1')])
      .when({ type: 'ChangePassword', passwordHash: 'new', keptSession: null, at })
      .then([
        { type: 'PasswordChanged', data: { userId: 'u1', passwordHash: 'new', generation: 2, keptSession: null, at } },
      ]);
  });
  test('are for users only', () => {
    given(userDecider, []).when({ type: 'RevokeOtherSessions', keptSession: null, at }).thenThrows('account_unknown');
    given(userDecider, [abandoned])
      .when({ type: 'ChangePassword', passwordHash: 'new', keptSession: null, at })
      .thenThrows('account_unknown');
  });
});

describe('a suspension', () => {
  const decision = { userId: 'u1', by: 'u2', reason: 'Spam.', at };
  const suspend: UserCommand = { type: 'SuspendUser', ...decision };
  const reinstate: UserCommand = { type: 'ReinstateUser', ...decision };
  const suspended = (generation: number): UserEvent => ({
    type: 'UserSuspended',
    data: { ...decision, generation, keptSession: null },
  });
  const reinstated: UserEvent = { type: 'UserReinstated', data: decision };

  test('ends all sessions, and is decided once', () => {
    given(userDecider, [registered])
      .when(suspend)
      .then([suspended(1)]);
    given(userDecider, [registered, suspended(1)])
      .when(suspend)
      .thenNothing();
    given(userDecider, [registered, suspended(1), reinstated])
      .when(suspend)
      .then([suspended(2)]);
  });
  test('is ended once', () => {
    given(userDecider, [registered, suspended(1)])
      .when(reinstate)
      .then([reinstated]);
    given(userDecider, [registered]).when(reinstate).thenNothing();
  });
  test('is for users only, and not for oneself', () => {
    for (const command of [suspend, reinstate])
      for (const history of [[], [abandoned]]) given(userDecider, history).when(command).thenThrows('account_unknown');
    given(userDecider, [registered])
      .when({ ...suspend, by: 'u1' })
      .thenThrows('own_account');
  });
});
