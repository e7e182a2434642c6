import type { DomainEvent } from '../../core/event.ts';
import type { EventTypeDefinitions } from '../../core/eventTypes.ts';

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
  SessionStarted: { version: 1 },
  SessionRefreshed: { version: 1 },
  SessionRevoked: { version: 1 },
} as const satisfies EventTypeDefinitions;
