import { accounts as accountsProjection } from '../../../projections/accounts.ts';
import { defineFeature } from '../feature.ts';
import { accountEventTypes, type ReservationEvent, type UserEvent } from './events.ts';
import { accountFeed } from './feed.ts';
import { accountRoutes } from './routes.ts';

export { createAdmins, type Admin, type Admins } from './admins.ts';
export { readAdminStatus, type AdminStatus } from './adminStatus.ts';
export { givenPassword, newPassword } from './accountSchemas.ts';
export { changePassword, revokeOtherSessions } from './changePassword.ts';
export { accountUnknown, userDecider, userStream, type RegisteredUser, type UserState } from './decider.ts';
export type { OtherSessionsRevoked, PasswordChanged, UserEvent, UserForgotten, UserSuspended } from './events.ts';
export { accountSuspended } from './suspension.ts';
export { forgetUser, releaseNamesOf } from './forgetUser.ts';
export { countGuess, type Guess } from './guesses.ts';
export { createKnownDevices, DEVICE_COOKIE } from './knownDevice.ts';
export { nameHashOf, normalised, type NameHash } from './names.ts';
export { checkOwnPassword } from './ownPassword.ts';
export { createPasswords, type Passwords } from './passwords.ts';
export { findUserByEmail, findUserByUsername, readRegistered, readUser } from './readAccount.ts';
export { createRoles, type Roles } from './roles.ts';

/** Registration and accounts. Of its events, only changes of the profile are pushed, to the user. */
export const accounts = defineFeature<UserEvent | ReservationEvent>({
  name: 'accounts',
  events: accountEventTypes,
  feed: accountFeed,
  projections: [accountsProjection],
  tags: { Accounts: 'Register, log in and out, read and change your own account, and end its sessions.' },
  routes: accountRoutes,
});
