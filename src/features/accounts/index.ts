import { accounts as accountsProjection } from '../../../projections/accounts.ts';
import { defineFeature } from '../feature.ts';
import { NOBODY_HEARS } from '../../realtime/feedDefinition.ts';
import { accountEventTypes, type ReservationEvent, type UserEvent } from './events.ts';
import { accountRoutes } from './routes.ts';

export { createAdmins, type Admin, type Admins } from './admins.ts';
export { readAdminStatus, type AdminStatus } from './adminStatus.ts';
export type { RegisteredUser } from './decider.ts';
export { nameHashOf, normalised, type NameHash } from './names.ts';
export { createPasswords, type Passwords } from './passwords.ts';
export { findUserByEmail, findUserByUsername, readUser } from './readAccount.ts';
export { createRoles, type Roles } from './roles.ts';

/** Registration and accounts. Its events are not pushed to anybody. */
export const accounts = defineFeature<UserEvent | ReservationEvent>({
  name: 'accounts',
  events: accountEventTypes,
  feed: {
    UserRegistered: NOBODY_HEARS,
    RegistrationAbandoned: NOBODY_HEARS,
    AdminGranted: NOBODY_HEARS,
    AdminRevoked: NOBODY_HEARS,
    EmailReserved: NOBODY_HEARS,
    EmailReleased: NOBODY_HEARS,
    UsernameReserved: NOBODY_HEARS,
    UsernameReleased: NOBODY_HEARS,
  },
  projections: [accountsProjection],
  tags: { Accounts: 'Register, log in and out, and read your own account.' },
  routes: accountRoutes,
});
