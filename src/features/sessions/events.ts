import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';

export type SessionStarted = DomainEvent<
  'SessionStarted',
  {
    readonly sessionId: string;
    readonly userId: string;
    readonly expiresAt: string;
    /** How the client calls itself; null when it does not say. Encrypted in the log. */
    readonly userAgent: string | null;
    /** The user's number of that moment (`RegisteredUser.generation`). */
    readonly generation: number;
    readonly at: string;
  }
>;

export type SessionRefreshed = DomainEvent<
  'SessionRefreshed',
  { readonly sessionId: string; readonly userId: string; readonly expiresAt: string; readonly at: string }
>;

export type SessionRevoked = DomainEvent<
  'SessionRevoked',
  {
    readonly sessionId: string;
    readonly userId: string;
    /** `revoked`: the user ended it from another session. `forgotten`: the user deleted the account. */
    readonly reason: 'logout' | 'revoked' | 'tokenReused' | 'forgotten';
    readonly at: string;
  }
>;

/** Stream `session-<sessionId>`. A refresh token is good for exactly one revision of it. */
export type SessionEvent = SessionStarted | SessionRefreshed | SessionRevoked;

export const sessionEventTypes = {
  SessionStarted: {
    version: 2,
    upcasts: { 1: (data) => ({ ...data, userAgent: null, generation: 0 }) },
    personal: { subject: 'userId', fields: ['userAgent'] },
    shown: { sessionId: true, userId: true, expiresAt: true, userAgent: false, generation: true, at: true },
  },
  SessionRefreshed: { version: 1, shown: { sessionId: true, userId: true, expiresAt: true, at: true } },
  SessionRevoked: { version: 1, shown: { sessionId: true, userId: true, reason: true, at: true } },
} as const satisfies EventDefinitions<SessionEvent>;
