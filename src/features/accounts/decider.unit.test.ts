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
