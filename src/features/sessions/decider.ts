import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { SessionEvent, SessionRevoked, SessionStarted } from './events.ts';

export type SessionCommand =
  | ({ readonly type: 'StartSession' } & SessionStarted['data'])
  /** `user`: as the user is now. */
  | { readonly type: 'RefreshSession'; readonly user: SessionOwner; readonly expiresAt: string; readonly at: string }
  | { readonly type: 'RevokeSession'; readonly reason: SessionRevoked['data']['reason']; readonly at: string }
  /** A refresh token of an earlier revision was used. It is excused if it was replaced at or after `graceSince`. */
  | { readonly type: 'ReportSpentToken'; readonly revision: number; readonly graceSince: string; readonly at: string };

/** Which sessions of a user have ended because all others did. */
export interface SessionOwner {
  readonly generation: number;
  readonly keptSession: string | null;
}

export type SessionState =
  | { readonly status: 'none' }
  | {
      readonly status: 'active' | 'revoked';
      readonly sessionId: string;
      readonly userId: string;
      /** The user's, when the session was started. */
      readonly generation: number;
      readonly expiresAt: string;
      /** The revision that the newest refresh token names. */
      readonly revision: number;
      /** When the newest tokens were issued, that one first. */
      readonly issuedAt: readonly string[];
    };

type StartedSession = Exclude<SessionState, { status: 'none' }>;

/** A token that so many have followed is not excused, however fast that was. */
const KNOWN_TOKENS = 20;

export const sessionDecider: Decider<SessionCommand, SessionEvent, SessionState> = {
  initialState: { status: 'none' },

  decide(command, state) {
    switch (command.type) {
      case 'StartSession': {
        const { type: _, ...data } = command;
        return state.status === 'none' ? [{ type: 'SessionStarted', data }] : [];
      }
      case 'RefreshSession': {
        const { user, expiresAt, at } = command;
        const { sessionId, userId } = refreshable(state, user, at);
        return [{ type: 'SessionRefreshed', data: { sessionId, userId, expiresAt, at } }];
      }
      case 'RevokeSession': {
        if (state.status !== 'active') return [];
        const { sessionId, userId } = state;
        return [{ type: 'SessionRevoked', data: { sessionId, userId, reason: command.reason, at: command.at } }];
      }
      case 'ReportSpentToken': {
        if (state.status === 'none') throw sessionUnknown();
        if (state.status === 'revoked') throw sessionRevoked();
        const { sessionId, userId } = state;
        const replacedAt = state.issuedAt[state.revision - command.revision - 1];
        // ISO 8601 in UTC sorts as time does.
        if (replacedAt !== undefined && replacedAt >= command.graceSince) throw alreadyRefreshed();
        return [{ type: 'SessionRevoked', data: { sessionId, userId, reason: 'tokenReused', at: command.at } }];
      }
    }
  },

  evolve(state, { type, data }) {
    switch (type) {
      case 'SessionStarted':
      case 'SessionRefreshed': {
        const { sessionId, userId, expiresAt, at } = data;
        const { generation } = type === 'SessionStarted' ? data : (state as StartedSession);
        return {
          status: 'active',
          sessionId,
          userId,
          generation,
          expiresAt,
          revision: state.status === 'none' ? 0 : state.revision + 1,
          issuedAt: [at, ...(state.status === 'none' ? [] : state.issuedAt)].slice(0, KNOWN_TOKENS),
        };
      }
      case 'SessionRevoked':
        return state.status === 'none' ? state : { ...state, status: 'revoked' };
    }
  },
};

export function sessionStream(sessionId: string): string {
  return `session-${sessionId}`;
}

/** Whether the session has ended because the user ended all others, or changed the password. */
export function hasEnded(
  session: { readonly id: string; readonly generation: number },
  { generation, keptSession }: SessionOwner,
): boolean {
  return session.generation < generation && session.id !== keptSession;
}

function refreshable(state: SessionState, user: SessionOwner, at: string): StartedSession {
  if (state.status === 'none') throw sessionUnknown();
  const { sessionId: id, generation } = state;
  if (state.status === 'revoked' || hasEnded({ id, generation }, user)) throw sessionRevoked();
  // ISO 8601 in UTC sorts as time does.
  if (state.expiresAt <= at)
    throw new DomainError('unauthenticated', 'session_expired', 'This session has expired; log in again.');
  return state;
}

export function sessionUnknown(): DomainError {
  return new DomainError('unauthenticated', 'session_unknown', 'There is no such session; log in again.');
}

export function sessionRevoked(): DomainError {
  return new DomainError('unauthenticated', 'session_revoked', 'This session was ended; log in again.');
}

function alreadyRefreshed(): DomainError {
  return new DomainError(
    'conflict',
    'already_refreshed',
    'This session was refreshed a moment ago, perhaps by another tab. Try again with the new cookie.',
    { retryAfter: 1 },
  );
}
