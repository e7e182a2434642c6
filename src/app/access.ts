import { abortable } from '../core/abortable.ts';
import { withTimeout } from '../core/withTimeout.ts';
import { createRevocations, followRevocations, type Revocations } from '../features/sessions/index.ts';
import { createAuthenticator, type AccessTokenVerifier, type Authenticator } from '../http/request/authenticator.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/** A start does not wait longer for the log (ms): queries are answered also while it is not available. */
const LONGEST_WAIT_MS = 5_000;

/** Who may use an API process. */
export interface Access {
  readonly authenticator: Authenticator & AccessTokenVerifier;
  readonly revocations: Revocations;
}

export async function openAccess(running: Process, services: Pick<Services, 'store'>): Promise<Access> {
  const revocations = await openRevocations(running, services);
  const { isRevoked } = revocations;
  return { revocations, authenticator: createAuthenticator({ secret: running.config.secrets.jwt, isRevoked }) };
}

/** Resolves when sessions are known that ended before this start, so that a restart revives none. */
async function openRevocations(
  { config: { accessTokenSeconds: accessSeconds }, logger, parts, starting }: Process,
  { store }: Pick<Services, 'store'>,
): Promise<Revocations> {
  const revocations = createRevocations({ accessSeconds });
  const closing = new AbortController();
  const caughtUp = Promise.withResolvers<void>();
  const following = followRevocations({
    store,
    revocations,
    accessSeconds,
    failed: createFailureLog(logger),
    caughtUp: caughtUp.resolve,
    signal: closing.signal,
  });
  parts.defer(async () => {
    closing.abort(new Error('the process is stopping'));
    await following;
  });
  const waiting = withTimeout(caughtUp.promise, LONGEST_WAIT_MS, () => {
    logger.warn('the log does not answer: access tokens of sessions that ended before this start may be accepted');
  });
  await abortable(waiting, starting);
  return revocations;
}
