import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';

/**
 * Stream `user-<userId>`. Name, username, email and passwordHash are encrypted in the log (see `accountEventTypes`).
 */
export type UserRegistered = DomainEvent<
  'UserRegistered',
  {
    readonly userId: string;
    readonly name: string;
    readonly username: string;
    /** As the user wrote it; comparisons are case-insensitive. */
    readonly email: string;
    /** PHC string, argon2id. */
    readonly passwordHash: string;
    /** ISO 8601, UTC. */
    readonly at: string;
  }
>;

/**
 * An unfinished registration was abandoned, so that its e-mail and username are free again. It can no longer finish.
 */
export type RegistrationAbandoned = DomainEvent<
  'RegistrationAbandoned',
  { readonly userId: string; readonly at: string }
>;

/** The user has the role admin from their next token on. */
export type AdminGranted = DomainEvent<'AdminGranted', AdminChange>;

/** The user no longer has the role from their next token on, unless `ADMIN_EMAILS` lists their e-mail. */
export type AdminRevoked = DomainEvent<'AdminRevoked', AdminChange>;

export interface AdminChange {
  readonly userId: string;
  /** `first account`, `command line`, or the id of the admin who did it. */
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export type UserEvent = UserRegistered | RegistrationAbandoned | AdminGranted | AdminRevoked;

/** Streams `email-<hmac>` and `username-<hmac>`: uniqueness is an append at an expected revision. */
export type ReservationEvent =
  | DomainEvent<'EmailReserved', { readonly userId: string; readonly at: string }>
  | DomainEvent<'EmailReleased', { readonly userId: string; readonly at: string }>
  | DomainEvent<'UsernameReserved', { readonly userId: string; readonly at: string }>
  | DomainEvent<'UsernameReleased', { readonly userId: string; readonly at: string }>;

export const accountEventTypes = {
  UserRegistered: {
    version: 1,
    personal: { subject: 'userId', fields: ['name', 'username', 'email', 'passwordHash'] },
    shown: { userId: true, name: false, username: false, email: false, passwordHash: false, at: true },
  },
  RegistrationAbandoned: { version: 1, shown: { userId: true, at: true } },
  AdminGranted: { version: 1, shown: { userId: true, by: true, at: true } },
  AdminRevoked: { version: 1, shown: { userId: true, by: true, at: true } },
  EmailReserved: { version: 1, shown: { userId: true, at: true } },
  EmailReleased: { version: 1, shown: { userId: true, at: true } },
  UsernameReserved: { version: 1, shown: { userId: true, at: true } },
  UsernameReleased: { version: 1, shown: { userId: true, at: true } },
} as const satisfies EventDefinitions<UserEvent | ReservationEvent>;
