import type { RegisteredUser, UserState } from '../accounts/index.ts';

export interface Suspended {
  readonly since: string;
  /** The id of the admin, or `command line`. */
  readonly by: string;
  readonly reason: string;
}

/** Null for a user who is not suspended. */
export function suspensionOf(user: UserState | RegisteredUser): Suspended | null {
  if (user.status !== 'registered' || user.suspended === null) return null;
  const { at, by, reason } = user.suspended;
  return { since: at, by, reason };
}
