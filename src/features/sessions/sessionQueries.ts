import type { Kysely } from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import type { RegisteredUser } from '../accounts/index.ts';
import { hasEnded } from './decider.ts';

/** A session that can still be refreshed, as its user sees it. */
export interface SessionView {
  readonly id: string;
  readonly createdAt: string;
  /** When it started or was refreshed last. */
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  /** How the client called itself at the login; null when it did not say. */
  readonly userAgent: string | null;
}

/** The sessions of a user that have not ended, last used first. */
export async function sessionsOf(db: Kysely<ReadModels>, user: RegisteredUser, now: Date): Promise<SessionView[]> {
  const rows = await db
    .selectFrom('sessions.started as s')
    .innerJoin('sessions.used as u', 'u.session_id', 's.session_id')
    .leftJoin('sessions.revoked as r', 'r.session_id', 's.session_id')
    .select(['s.session_id', 's.generation', 's.user_agent', 's.started_at', 'u.used_at', 'u.expires_at'])
    .where('s.user_id', '=', user.id)
    .where('r.session_id', 'is', null)
    .where('u.expires_at', '>', now)
    .orderBy('u.used_at', 'desc')
    .orderBy('s.session_id', 'desc')
    .execute();
  return rows
    .filter(({ session_id: id, generation }) => !hasEnded({ id, generation }, user))
    .map((row) => ({
      id: row.session_id,
      createdAt: row.started_at.toISOString(),
      lastUsedAt: row.used_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      userAgent: row.user_agent,
    }));
}
