import { z } from 'zod';
import type { AuthenticatedUser } from '../route.ts';

/** What an access token says; the seed's clients read these names. */
const accessClaims = z.object({ id: z.string().min(1), name: z.string(), username: z.string(), email: z.string() });

/** The user whom a verified token's payload names; undefined when it is not an access token of ours. */
export function userOfClaims(payload: unknown): AuthenticatedUser | undefined {
  return accessClaims.safeParse(payload).data;
}
