import { v7 } from 'uuid';
import {
  accountSuspended,
  countGuess,
  findUserByEmail,
  readUser,
  type Guess,
  type NameHash,
  type Passwords,
  type RegisteredUser,
  type Roles,
} from '../accounts/index.ts';
import type { Appended } from '../../core/appended.ts';
import { pause } from '../../core/abortable.ts';
import { cleanLine } from '../../core/cleanText.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, type CommandOutcome } from '../../core/commandHandler.ts';
import { DomainError } from '../../core/errors.ts';
import { idFor } from '../../core/eventIds.ts';
import { RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import { readState, type StreamState } from '../../core/readState.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import { sessionDecider, sessionRevoked, sessionStream, sessionUnknown, type SessionState } from './decider.ts';
import type { SessionEvent, SessionRevoked } from './events.ts';
import type { Revocations } from './revocations.ts';
import type { RefreshClaims, Tokens } from './tokens.ts';

export interface SessionCommandDependencies {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly nameHash: NameHash;
  readonly passwords: Pick<Passwords, 'verify'>;
  readonly tokens: Tokens;
  readonly rateLimits: RateLimits;
  readonly roles: Pick<Roles, 'roleOf'>;
  readonly revocations: Pick<Revocations, 'add'>;
}

/** Browsers send about 120 characters. */
const MOST_OF_USER_AGENT = 300;

/** Longer than a refusal takes, so that its time does not reveal whether the e-mail is known. */
const REFUSED_AFTER_MS = 100;

/**
 * For this time after a token was replaced, it is refused without ending the session: tabs of a browser share one cookie and
 * may refresh at the same moment, and one of them may be slow.
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
 * password; `too_many_guesses`; `account_suspended`, only for the right password
 */
export async function logIn(
  { store, nameHash, passwords, tokens, rateLimits, roles }: SessionCommandDependencies,
  { email, password, userAgent, ...guess }: { email: string; password: string; userAgent: string | undefined } & Guess,
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
  if (user.suspended !== null) throw accountSuspended(user.suspended);

  const start = (sessionId: string): Promise<CommandOutcome<SessionEvent, SessionState>> => {
    const { id: userId, generation } = user;
    const client = userAgent === undefined ? null : shortened(userAgent);
    const times = validity(tokens, context);
    const command = { type: 'StartSession', sessionId, userId, userAgent: client, generation, ...times } as const;
    return handleCommand(store, sessionDecider, sessionStream(sessionId), command, { ...context, actor: user.id });
  };
  // A retry finds the session that the first try has started, unless that session has ended since.
  let sessionId = idFor({ ...context, actor: user.id }, 'session');
  let started = await start(sessionId);
  if (!isLive(started.state, context)) started = await start((sessionId = v7()));
  return { ...issued({ tokens, roles }, user, started, context), appended: started };
}

function isLive(state: SessionState, { now }: CommandContext): boolean {
  return state.status === 'active' && state.expiresAt > now.toISOString();
}

/**
 * Exchanges a refresh token for a new one. A token is valid at the revision of the session at which it was issued. A
 * second use meets a conflict: within 10 s the session stays valid, later it is revoked. A client that lost the answer
 * retries under the same idempotency key and gets tokens again.
 * @throws DomainError `already_refreshed`, `token_reused`, `session_revoked`, `session_expired`, `session_unknown`,
 * `account_suspended`
 */
export async function refreshSession(
  { store, tokens, roles, revocations }: SessionCommandDependencies,
  refreshToken: string,
  context: CommandContext,
): Promise<SessionTokens> {
  const { sessionId, userId, revision } = tokens.verifyRefresh(refreshToken);
  // Before the old token is spent: a later failure would leave the client without any token.
  const user = await readUser(store, userId);
  if (user.status !== 'registered') throw sessionUnknown();
  if (user.suspended !== null) throw accountSuspended(user.suspended);

  const command = { type: 'RefreshSession', user, ...validity(tokens, context) } as const;
  // The key counts for this token only, so that a client may send the same key with each refresh.
  const key = context.idempotencyKey === undefined ? undefined : `${context.idempotencyKey} ${revision}`;
  const own: CommandContext = { ...context, actor: userId, idempotencyKey: key };
  try {
    const outcome = await handleCommand(store, sessionDecider, sessionStream(sessionId), command, own, {
      expectedRevision: revision,
    });
    if (outcome.state.status !== 'active') throw sessionRevoked();
    return { ...issued({ tokens, roles }, user, { ...outcome, revision: revision + 1 }, context), appended: outcome };
  } catch (error) {
    if (!(error instanceof RevisionConflict)) throw error;
    throw await refusalOfSpent({ store, revocations }, { sessionId, revision }, own);
  }
}

/** Ends the session of a refresh token, also of one that was used before. An invalid token has no effect. */
export async function logOut(
  { store, tokens, revocations }: SessionCommandDependencies,
  refreshToken: string | undefined,
  context: CommandContext,
): Promise<{ appended?: Appended }> {
  const claims = sessionOf(tokens, refreshToken);
  if (claims === undefined) return {};
  const { sessionId, userId } = claims;
  return { appended: await revoke({ store, revocations }, sessionId, 'logout', { ...context, actor: userId }) };
}

/**
 * Ends a session of this user. Nothing changes if it has ended.
 * @throws DomainError `session_not_found`, also for a session of another user
 */
export async function revokeSession(
  { store, revocations }: Revoking,
  sessionId: string,
  userId: string,
  context: CommandContext,
): Promise<Appended> {
  const { state } = await readState(store, sessionDecider, sessionStream(sessionId));
  if (state.status === 'none' || state.userId !== userId)
    throw new DomainError('notFound', 'session_not_found', 'You have no such session.');
  return revoke({ store, revocations }, sessionId, 'revoked', context);
}

type Revoking = Pick<SessionCommandDependencies, 'store' | 'revocations'>;

async function revoke(
  { store, revocations }: Revoking,
  sessionId: string,
  reason: SessionRevoked['data']['reason'],
  context: CommandContext,
): Promise<CommandOutcome<SessionEvent, SessionState>> {
  const command = { type: 'RevokeSession', reason, at: context.now.toISOString() } as const;
  const outcome = await handleCommand(store, sessionDecider, sessionStream(sessionId), command, context);
  revocations.add(outcome.events);
  return outcome;
}

/** Revokes the session of a spent token, unless the token was spent a moment ago. */
async function refusalOfSpent(
  { store, revocations }: Revoking,
  { sessionId, revision }: Pick<RefreshClaims, 'sessionId' | 'revision'>,
  context: CommandContext,
): Promise<DomainError> {
  const graceSince = new Date(context.now.getTime() - REFRESH_GRACE_MS).toISOString();
  const command = { type: 'ReportSpentToken', revision, graceSince, at: context.now.toISOString() } as const;
  const { events } = await handleCommand(store, sessionDecider, sessionStream(sessionId), command, {
    ...context,
    idempotencyKey: undefined,
  });
  revocations.add(events);
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

/** `revision` is that of the session at which the refresh token is issued. */
function issued(
  { tokens, roles }: Pick<SessionCommandDependencies, 'tokens' | 'roles'>,
  user: RegisteredUser,
  { state, revision = 0 }: Pick<StreamState<SessionState>, 'state' | 'revision'>,
  { now }: CommandContext,
): Omit<SessionTokens, 'appended'> {
  if (state.status === 'none') throw sessionUnknown();
  const { sessionId, generation } = state;
  const role = roles.roleOf({ email: user.email, isGranted: user.admin === 'granted' });
  return {
    accessToken: tokens.access({ ...user, role, session: { id: sessionId, generation } }, now),
    refreshToken: tokens.refresh({ sessionId, userId: user.id, revision }, now),
  };
}

function shortened(userAgent: string): string {
  return cleanLine(userAgent).slice(0, MOST_OF_USER_AGENT);
}
