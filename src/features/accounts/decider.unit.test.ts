import { describe, test } from '@jest/globals';
import { given } from '../../core/spec.ts';
import { userDecider, type UserCommand } from './decider.ts';
import type { UserEvent } from './events.ts';

const at = '2025-01-01T00:00:00.000Z';
const ada = { userId: 'u1', name: 'Ada', username: 'ada', email: 'ada@example.org', passwordHash: '$argon2id$…', at };
const register: UserCommand = { type: 'RegisterUser', ...ada };
const abandon: UserCommand = { type: 'AbandonRegistration', userId: 'u1', at };
const registered: UserEvent = { type: 'UserRegistered', data: ada };
const abandoned: UserEvent = { type: 'RegistrationAbandoned', data: { userId: 'u1', at } };

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
