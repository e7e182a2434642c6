import { describe, test } from '@jest/globals';
import { given } from '../../core/spec.ts';
import { sessionDecider, type SessionCommand, type SessionOwner } from './decider.ts';
import type { SessionEvent } from './events.ts';

const at = '2025-01-01T00:00:00.000Z';
const expiresAt = '2025-01-31T00:00:00.000Z';
const session = { sessionId: 's', userId: 'u', expiresAt, at };
const start: SessionCommand = { type: 'StartSession', ...session, userAgent: 'Firefox', generation: 2 };
const started: SessionEvent = { type: 'SessionStarted', data: { ...session, userAgent: 'Firefox', generation: 2 } };
const owner: SessionOwner = { generation: 2, keptSession: null };
const revoked: SessionEvent = { type: 'SessionRevoked', data: { sessionId: 's', userId: 'u', reason: 'logout', at } };
const refreshAt = (when: string, user = owner): SessionCommand => ({
  type: 'RefreshSession',
  user,
  expiresAt: '2025-02-28T00:00:00.000Z',
  at: when,
});
const revoke: SessionCommand = { type: 'RevokeSession', reason: 'logout', at };

describe('a session', () => {
  test('starts', () => given(sessionDecider, []).when(start).then([started]));
  test('starts once', () => given(sessionDecider, [started]).when(start).thenNothing());
  test('is refreshed until it expires, and lives longer then', () => {
    const refreshed: SessionEvent = {
      type: 'SessionRefreshed',
      data: { sessionId: 's', userId: 'u', expiresAt: '2025-02-28T00:00:00.000Z', at: '2025-01-30T23:59:59.999Z' },
    };
    given(sessionDecider, [started]).when(refreshAt('2025-01-30T23:59:59.999Z')).then([refreshed]);
    given(sessionDecider, [started]).when(refreshAt(expiresAt)).thenThrows('session_expired');
    given(sessionDecider, [started, refreshed])
      .when(refreshAt(expiresAt))
      .then([{ ...refreshed, data: { ...refreshed.data, at: expiresAt } }]);
  });
  test('that never was is not refreshed', () =>
    given(sessionDecider, []).when(refreshAt(at)).thenThrows('session_unknown'));
  test('that was revoked is not refreshed', () =>
    given(sessionDecider, [started, revoked]).when(refreshAt(at)).thenThrows('session_revoked'));
  test('that was started before all others were ended is not refreshed, unless it was kept', () => {
    const ended = { generation: 3, keptSession: 'other' };
    given(sessionDecider, [started]).when(refreshAt(at, ended)).thenThrows('session_revoked');
    given(sessionDecider, [started])
      .when(refreshAt(at, { ...ended, keptSession: 's' }))
      .then([
        { type: 'SessionRefreshed', data: { sessionId: 's', userId: 'u', expiresAt: '2025-02-28T00:00:00.000Z', at } },
      ]);
  });
  test('is revoked', () => given(sessionDecider, [started]).when(revoke).then([revoked]));
  test('is revoked once, for its first reason', () =>
    given(sessionDecider, [started, revoked]).when(revoke).thenNothing());
  test('stays valid when a token is used within the grace period after it was replaced', () => {
    const refreshedAt = (when: string): SessionEvent => ({ type: 'SessionRefreshed', data: { ...session, at: when } });
    const refreshed = refreshedAt('2025-01-02T00:00:10.000Z');
    const spent = (revision: number, graceSince: string): SessionCommand => ({
      type: 'ReportSpentToken',
      revision,
      graceSince,
      at,
    });
    const reused: SessionEvent = {
      type: 'SessionRevoked',
      data: { sessionId: 's', userId: 'u', reason: 'tokenReused', at },
    };
    given(sessionDecider, [started, refreshed])
      .when(spent(0, '2025-01-02T00:00:10.000Z'))
      .thenThrows('already_refreshed');
    given(sessionDecider, [started, refreshed]).when(spent(0, '2025-01-02T00:00:10.001Z')).then([reused]);
    const twice = [started, refreshed, refreshedAt('2025-01-02T00:00:15.000Z')];
    given(sessionDecider, twice).when(spent(0, '2025-01-02T00:00:10.000Z')).thenThrows('already_refreshed');
    given(sessionDecider, twice).when(spent(0, '2025-01-02T00:00:10.001Z')).then([reused]);
    given(sessionDecider, twice).when(spent(1, '2025-01-02T00:00:15.000Z')).thenThrows('already_refreshed');
    const often = [started, ...Array.from({ length: 21 }, () => refreshed)];
    given(sessionDecider, often).when(spent(1, '2025-01-02T00:00:10.000Z')).thenThrows('already_refreshed');
    given(sessionDecider, often).when(spent(0, '2025-01-02T00:00:10.000Z')).then([reused]);
    given(sessionDecider, [started, refreshed, revoked]).when(spent(0, at)).thenThrows('session_revoked');
    given(sessionDecider, []).when(spent(0, at)).thenThrows('session_unknown');
  });
  test('that never was cannot be revoked', () => given(sessionDecider, []).when(revoke).thenNothing());
});
