import { createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { DomainError } from '../../core/errors.ts';
import { firstOf, madeOf, type KeyRing } from '../../core/keyRing.ts';
import type { AuthenticatedUser } from '../../http/route.ts';

/** Allows one refresh: of this session, at this revision of its stream. */
export interface RefreshClaims {
  readonly sessionId: string;
  readonly userId: string;
  readonly revision: number;
}

/** Issues access and refresh tokens. Access tokens are verified by the `Authenticator`. */
export interface Tokens {
  access(user: AuthenticatedUser, now: Date): string;
  refresh(claims: RefreshClaims, now: Date): string;
  /** @throws DomainError `refresh_token_expired`, `refresh_token_invalid` */
  verifyRefresh(token: string): RefreshClaims;
  /** How long a refresh token is valid. */
  readonly refreshSeconds: number;
}

export interface TokenOptions {
  /** `JWT_SECRET` and `EXPIRES_IN`, the latter in seconds. */
  readonly accessSecret: KeyRing<string>;
  readonly accessSeconds: number;
  /** `REFRESH_SECRET` and `REFRESH_EXPIRES_IN`, the latter in seconds. */
  readonly refreshSecret: KeyRing<string>;
  readonly refreshSeconds: number;
}

const refreshPayload = z.object({ sid: z.string(), sub: z.string(), rev: z.int().min(0) });

export function createTokens({ accessSecret, accessSeconds, refreshSecret, refreshSeconds }: TokenOptions): Tokens {
  // jsonwebtoken would try a text as another kind of key first, for every token.
  const accessKeys = madeOf(accessSecret, (secret) => createSecretKey(secret, 'utf8'));
  const refreshKeys = madeOf(refreshSecret, (secret) => createSecretKey(secret, 'utf8'));
  return {
    refreshSeconds,
    access({ id, email, name, username, role, session }, now) {
      const ofSession = session && { sid: session.id, gen: session.generation };
      return sign({ id, email, name, username, role, ...ofSession }, accessKeys()[0]!, accessSeconds, now);
    },
    refresh({ sessionId, userId, revision }, now) {
      return sign({ sid: sessionId, sub: userId, rev: revision }, refreshKeys()[0]!, refreshSeconds, now);
    },
    verifyRefresh(token) {
      const { data } = refreshPayload.safeParse(
        firstOf(refreshSecret, refreshKeys, (key) => verifiedRefreshToken(token, key)),
      );
      if (data === undefined) throw invalid();
      return { sessionId: data.sid, userId: data.sub, revision: data.rev };
    },
  };
}

function sign(claims: object, key: KeyObject, seconds: number, now: Date): string {
  const iat = Math.floor(now.getTime() / 1000);
  return jwt.sign({ ...claims, iat, exp: iat + seconds }, key, { algorithm: 'HS256' });
}

/** Undefined when another key signed the token, or none. */
function verifiedRefreshToken(token: string, key: KeyObject): unknown {
  try {
    // The algorithm is fixed: a token must not choose how it is checked.
    return jwt.verify(token, key, { algorithms: ['HS256'] });
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError)
      throw new DomainError('unauthenticated', 'refresh_token_expired', 'The token has expired; log in again.');
    return undefined;
  }
}

function invalid(): DomainError {
  return new DomainError('unauthenticated', 'refresh_token_invalid', 'The token is not valid; log in again.');
}
