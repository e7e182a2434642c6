import { v7 } from 'uuid';
import {
  findUserByEmail,
  readUser,
  type NameHash,
  type Passwords,
  type RegisteredUser,
  type Roles,
} from '../accounts/index.ts';
import type { Appended } from '../../core/appended.ts';
import { pause } from '../../core/abortable.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, type CommandOutcome } from '../../core/commandHandler.ts';
import { DomainError } from '../../core/errors.ts';
import { idFor } from '../../core/eventIds.ts';
import { RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import { sessionDecider, sessionRevoked, sessionStream, sessionUnknown, type SessionState } from './decider.ts';
import type { SessionEvent } from './events.ts';
import { countGuess, type Guess } from './guesses.ts';
import type { RefreshClaims, Tokens } from './tokens.ts';

export interface SessionCommandDependencies {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly nameHash: NameHash;
  readonly passwords: Pick<Passwords, 'verify'>;
  readonly tokens: Tokens;
  readonly rateLimits: RateLimits;
  readonly roles: Pick<Roles, 'roleOf'>;
}

/** Longer than a refusal takes, so that its time does not reveal whether the e-mail is known. */
const REFUSED_AFTER_MS = 100;

/**
 * For this time after a refresh, the replaced token is refused without ending the session: two tabs of a browser share
 * one cookie and may refresh at the same moment.
 */
const REFRESH_GRACE_MS = 10_000;

/** The tokens that a client gets for a session. */
export interface SessionTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly appended: Appended;
}

/**
 * @throws DomainError `invalid_credentials`, the same and after the same time for an unknown e-mail and a wrong
 * password; `too_many_guesses`
 */
export async function logIn(
  { store, nameHash, passwords, tokens, rateLimits, roles }: SessionCommandDependencies,
  { email, password, ...guess }: { email: string; password: string } & Guess,
  context: CommandContext,
): Promise<SessionTokens> {
  const wasRight = await countGuess(rateLimits, guess);
  const began = performance.now();
  const user = await findUserByEmail(store, nameHash, email);
  const matches = await passwords.verify(password, user?.passwordHash);
  if (user === undefined || !matches) {
    await pause(Math.max(0, began + REFUSED_AFTER_MS - performance.now()));
    throw new DomainError('unauthenticated', 'invalid_credentials', 'The e-mail or the password is wrong.');
  }
  await wasRight();

  const start = (sessionId: string): Promise<CommandOutcome<SessionEvent, SessionState>> => {
    const command = { type: 'StartSession', sessionId, userId: user.id, ...validity(tokens, context) } as const;
    return handleCommand(store, sessionDecider, sessionStream(sessionId), command, { ...context, actor: user.id });
  };
  // A retry finds the session that the first try has started, unless that session has ended since.
  let sessionId = idFor({ ...context, actor: user.id }, 'session');
  let started = await start(sessionId);
  if (!isLive(started.state, context)) started = await start((sessionId = v7()));
  const { revision = 0 } = started;
  return { ...issued({ tokens, roles }, user, { sessionId, userId: user.id, revision }, context), appended: started };
}

function isLive(state: SessionState, { now }: CommandContext): boolean {
  return state.status === 'active' && state.expiresAt > now.toISOString();
}

/**
 * Exchanges a refresh token for a new one. A token is valid at the revision of the session at which it was issued. A
 * second use meets a conflict: within 10 s the session stays valid, later it is revoked. A client that lost the answer
 * retries under the same idempotency key and gets tokens again.
 * @throws DomainError `already_refreshed`, `token_reused`, `session_revoked`, `session_expired`, `session_unknown`
 */
export async function refreshSession(
  { store, tokens, roles }: SessionCommandDependencies,
  refreshToken: string,
  context: CommandContext,
): Promise<SessionTokens> {
  const { sessionId, userId, revision } = tokens.verifyRefresh(refreshToken);
  // Before the old token is spent: a later failure would leave the client without any token.
  const user = await readUser(store, userId);
  if (user.status !== 'registered') throw sessionUnknown();

  const command = { type: 'RefreshSession', ...validity(tokens, context) } as const;
  // The key counts for this token only, so that a client may send the same key with each refresh.
  const key = context.idempotencyKey === undefined ? undefined : `${context.idempotencyKey} ${revision}`;
  const own: CommandContext = { ...context, actor: userId, idempotencyKey: key };
  try {
    const outcome = await handleCommand(store, sessionDecider, sessionStream(sessionId), command, own, {
      expectedRevision: revision,
    });
    if (outcome.state.status !== 'active') throw sessionRevoked();
    return {
      ...issued({ tokens, roles }, user, { sessionId, userId, revision: revision + 1 }, context),
      appended: outcome,
    };
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error;
    throw await refusalOfSpent(store, { sessionId, revision }, own);
  }
}

/** Ends the session of a refresh token, also of one that was used before. An invalid token has no effect. */
export async function logOut(
  { store, tokens }: SessionCommandDependencies,
  refreshToken: string | undefined,
  context: CommandContext,
): Promise<{ appended?: Appended }> {
  const claims = sessionOf(tokens, refreshToken);
  if (claims === undefined) return {};
  const command = { type: 'RevokeSession', at: context.now.toISOString() } as const;
  const appended = await handleCommand(store, sessionDecider, sessionStream(claims.sessionId), command, {
    ...context,
    actor: claims.userId,
  });
  return { appended };
}

/** Revokes the session of a spent token, unless the token was spent a moment ago. */
async function refusalOfSpent(
  store: SessionCommandDependencies['store'],
  { sessionId, revision }: Pick<RefreshClaims, 'sessionId' | 'revision'>,
  context: CommandContext,
): Promise<DomainError> {
  const graceSince = new Date(context.now.getTime() - REFRESH_GRACE_MS).toISOString();
  const command = { type: 'ReportSpentToken', revision, graceSince, at: context.now.toISOString() } as const;
  await handleCommand(store, sessionDecider, sessionStream(sessionId), command, {
    ...context,
    idempotencyKey: undefined,
  });
  return new DomainError(
    'unauthenticated',
    'token_reused',
    'This refresh token was used before, so the session was ended for safety; log in again.',
  );
}

/** The claims of a refresh token, which may be spent. Undefined for a token that is missing, expired or invalid. */
export function sessionOf(tokens: Tokens, refreshToken: string | undefined): RefreshClaims | undefined {
  try {
    return refreshToken === undefined ? undefined : tokens.verifyRefresh(refreshToken);
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

function validity({ refreshSeconds }: Tokens, { now }: CommandContext): { at: string; expiresAt: string } {
  return { at: now.toISOString(), expiresAt: new Date(now.getTime() + refreshSeconds * 1000).toISOString() };
}

function issued(
  { tokens, roles }: Pick<SessionCommandDependencies, 'tokens' | 'roles'>,
  user: RegisteredUser,
  claims: RefreshClaims,
  { now }: CommandContext,
): Omit<SessionTokens, 'appended'> {
  const role = roles.roleOf({ email: user.email, isGranted: user.admin === 'granted' });
  return {
    accessToken: tokens.access({ ...user, role }, claims.sessionId, now),
    refreshToken: tokens.refresh(claims, now),
  };
}
