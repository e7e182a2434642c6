import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { DomainError } from '../../core/errors.ts';
import { userOfClaims } from '../../http/request/accessClaims.ts';
import type { AuthenticatedUser } from '../../http/route.ts';

/** Good for one refresh: of this session, at this revision of its stream. */
export interface RefreshClaims {
  readonly sessionId: string;
  readonly userId: string;
  readonly revision: number;
}

export interface Tokens {
  access(user: AuthenticatedUser, sessionId: string, now: Date): string;
  refresh(claims: RefreshClaims, now: Date): string;
  /** @throws DomainError `token_expired`, `token_invalid` */
  verifyAccess(token: string): AuthenticatedUser;
  /** @throws DomainError `refresh_token_expired`, `refresh_token_invalid` */
  verifyRefresh(token: string): RefreshClaims;
  /** How long a refresh token is good for. */
  readonly refreshSeconds: number;
}

export interface TokenOptions {
  /** `JWT_SECRET` and `EXPIRES_IN`, the latter in seconds. */
  readonly accessSecret: string;
  readonly accessSeconds: number;
  /** `REFRESH_SECRET` and `REFRESH_EXPIRES_IN`, the latter in seconds. */
  readonly refreshSecret: string;
  readonly refreshSeconds: number;
}

const refreshPayload = z.object({ sid: z.string(), sub: z.string(), rev: z.int().min(0) });

export function createTokens({ accessSecret, accessSeconds, refreshSecret, refreshSeconds }: TokenOptions): Tokens {
  return {
    refreshSeconds,
    access({ id, email, name, username }, sid, now) {
      return sign({ id, email, name, username, sid }, accessSecret, accessSeconds, now);
    },
    refresh({ sessionId, userId, revision }, now) {
      return sign({ sid: sessionId, sub: userId, rev: revision }, refreshSecret, refreshSeconds, now);
    },
    verifyAccess(token) {
      const user = userOfClaims(verified(token, accessSecret, 'token'));
      if (user === undefined) throw invalid('token');
      return user;
    },
    verifyRefresh(token) {
      const { data } = refreshPayload.safeParse(verified(token, refreshSecret, 'refresh_token'));
      if (data === undefined) throw invalid('refresh_token');
      return { sessionId: data.sid, userId: data.sub, revision: data.rev };
    },
  };
}

function sign(claims: object, secret: string, seconds: number, now: Date): string {
  const iat = Math.floor(now.getTime() / 1000);
  return jwt.sign({ ...claims, iat, exp: iat + seconds }, secret, { algorithm: 'HS256' });
}

type TokenName = 'token' | 'refresh_token';

function verified(token: string, secret: string, name: TokenName): unknown {
  try {
    // The algorithm is pinned: a token must not choose how it is checked.
    return jwt.verify(token, secret, { algorithms: ['HS256'] });
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError)
      throw new DomainError('unauthenticated', `${name}_expired`, 'The token has expired; log in again.');
    throw invalid(name);
  }
}

function invalid(name: TokenName): DomainError {
  return new DomainError('unauthenticated', `${name}_invalid`, 'The token is not valid; log in again.');
}
