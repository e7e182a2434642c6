import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';

/**
 * Stream `user-<userId>`, as all of `UserEvent`. Name, username, email and passwordHash are encrypted in the log (see
 * `accountEventTypes`).
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

/** Shown beside the user's videos. */
export type NameChanged = DomainEvent<
  'NameChanged',
  { readonly userId: string; readonly name: string; readonly at: string }
>;

/** The new username was reserved before. The old one is released afterwards. */
export type UsernameChanged = DomainEvent<
  'UsernameChanged',
  { readonly userId: string; readonly username: string; readonly at: string }
>;

/** The new address was reserved before. The old one is released afterwards. */
export type EmailChanged = DomainEvent<
  'EmailChanged',
  {
    readonly userId: string;
    /** As the user wrote it; comparisons are case-insensitive. */
    readonly email: string;
    readonly at: string;
  }
>;

/**
 * A change of the username or the e-mail that may be under way was abandoned: it must begin again with a new reservation.
 */
export type ProfileChangeAbandoned = DomainEvent<
  'ProfileChangeAbandoned',
  { readonly userId: string; readonly at: string }
>;

/** The sessions of the user that end, when all others do. */
interface OthersEnd {
  /** Sessions that were started under a lower number have ended, but for `keptSession`. */
  readonly generation: number;
  /** The session that stays; null for none. */
  readonly keptSession: string | null;
}

/** The user has a new password. All other sessions have ended. */
export type PasswordChanged = DomainEvent<
  'PasswordChanged',
  {
    readonly userId: string;
    /** PHC string, argon2id. */
    readonly passwordHash: string;
    readonly at: string;
  } & OthersEnd
>;

/** The user has ended all other sessions. */
export type OtherSessionsRevoked = DomainEvent<
  'OtherSessionsRevoked',
  { readonly userId: string; readonly at: string } & OthersEnd
>;

/**
 * The user asked for their account to be deleted. All their sessions have ended. Whoever holds data of the user in clear,
 * or text that the user wrote, drops it: the user's key is deleted next.
 */
export type UserForgotten = DomainEvent<'UserForgotten', { readonly userId: string; readonly at: string }>;

/** A moderator has suspended the user. All sessions have ended, and the user cannot log in. */
export type UserSuspended = DomainEvent<'UserSuspended', Suspension & OthersEnd>;

/** The user can log in again. Sessions that have ended stay so. */
export type UserReinstated = DomainEvent<'UserReinstated', Suspension>;

/** The reason is sealed under the key of the user, whom it may describe. */
export interface Suspension {
  readonly userId: string;
  /** The id of the admin, or `command line`. */
  readonly by: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface AdminChange {
  readonly userId: string;
  /** `first account`, `command line`, or the id of the admin who did it. */
  readonly by: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** What changes the user in the read models. */
export type ProfileChanged = NameChanged | UsernameChanged | EmailChanged;

export type UserEvent =
  | UserRegistered
  | RegistrationAbandoned
  | ProfileChanged
  | ProfileChangeAbandoned
  | PasswordChanged
  | OtherSessionsRevoked
  | UserSuspended
  | UserReinstated
  | AdminGranted
  | AdminRevoked
  | UserForgotten;

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
  NameChanged: {
    version: 1,
    personal: { subject: 'userId', fields: ['name'] },
    shown: { userId: true, name: false, at: true },
  },
  UsernameChanged: {
    version: 1,
    personal: { subject: 'userId', fields: ['username'] },
    shown: { userId: true, username: false, at: true },
  },
  EmailChanged: {
    version: 1,
    personal: { subject: 'userId', fields: ['email'] },
    shown: { userId: true, email: false, at: true },
  },
  ProfileChangeAbandoned: { version: 1, shown: { userId: true, at: true } },
  PasswordChanged: {
    version: 1,
    personal: { subject: 'userId', fields: ['passwordHash'] },
    shown: { userId: true, passwordHash: false, generation: true, keptSession: true, at: true },
  },
  OtherSessionsRevoked: { version: 1, shown: { userId: true, generation: true, keptSession: true, at: true } },
  UserSuspended: {
    version: 1,
    personal: { subject: 'userId', fields: ['reason'] },
    shown: { userId: true, by: true, reason: false, generation: true, keptSession: true, at: true },
  },
  UserReinstated: {
    version: 1,
    personal: { subject: 'userId', fields: ['reason'] },
    shown: { userId: true, by: true, reason: false, at: true },
  },
  AdminGranted: { version: 1, shown: { userId: true, by: true, at: true } },
  AdminRevoked: { version: 1, shown: { userId: true, by: true, at: true } },
  UserForgotten: { version: 1, shown: { userId: true, at: true } },
  EmailReserved: { version: 1, shown: { userId: true, at: true } },
  EmailReleased: { version: 1, shown: { userId: true, at: true } },
  UsernameReserved: { version: 1, shown: { userId: true, at: true } },
  UsernameReleased: { version: 1, shown: { userId: true, at: true } },
} as const satisfies EventDefinitions<UserEvent | ReservationEvent>;
