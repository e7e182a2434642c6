import type { UserRole } from '../../http/route.ts';
import type { FeatureSettings } from '../feature.ts';
import { normalised } from './names.ts';

export interface Roles {
  /** The role that the user's next token has. */
  roleOf(user: { readonly email: string; readonly isGranted: boolean }): UserRole;
  /** Whether `ADMIN_EMAILS` lists the e-mail address. */
  isListed(email: string): boolean;
}

/** A user is an admin if the role was granted to them in the log, or `ADMIN_EMAILS` lists their e-mail address. */
export function createRoles({ adminEmails }: Pick<FeatureSettings, 'adminEmails'>): Roles {
  const listed = new Set(adminEmails.map(normalised));
  const isListed = (email: string): boolean => listed.has(normalised(email));
  return { isListed, roleOf: ({ email, isGranted }) => (isGranted || isListed(email) ? 'admin' : 'user') };
}
