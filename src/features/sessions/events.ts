import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';

/** Stream `session-<sessionId>`. A refresh token is good for exactly one revision of it. */
export type SessionEvent =
  | DomainEvent<
      'SessionStarted',
      { readonly sessionId: string; readonly userId: string; readonly expiresAt: string; readonly at: string }
    >
  | DomainEvent<
      'SessionRefreshed',
      { readonly sessionId: string; readonly userId: string; readonly expiresAt: string; readonly at: string }
    >
  | DomainEvent<
      'SessionRevoked',
      {
        readonly sessionId: string;
        readonly userId: string;
        readonly reason: 'logout' | 'tokenReused';
        readonly at: string;
      }
    >;

export const sessionEventTypes = {
  SessionStarted: { version: 1, shown: { sessionId: true, userId: true, expiresAt: true, at: true } },
  SessionRefreshed: { version: 1, shown: { sessionId: true, userId: true, expiresAt: true, at: true } },
  SessionRevoked: { version: 1, shown: { sessionId: true, userId: true, reason: true, at: true } },
} as const satisfies EventDefinitions<SessionEvent>;
