import { createSecretKey } from 'node:crypto';
import type { Request, Response } from 'express';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { DomainError } from '../../core/errors.ts';
import { userOfClaims } from './accessClaims.ts';
import type { AuthenticatedUser } from '../route.ts';

/** Finds out who sent a request, from its access token alone. */
export interface Authenticator {
  /** Undefined when the request carries no token. @throws DomainError `token_expired`, `token_invalid` */
  authenticate(request: Request, response: Response): Promise<AuthenticatedUser | undefined>;
}

export interface AuthenticatorOptions {
  /** `JWT_SECRET`. */
  readonly secret: string;
}

export function createAuthenticator({ secret }: AuthenticatorOptions): Authenticator {
  const authority = new passport.Passport();
  const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
  // Given as text, jsonwebtoken would try it as a public key first, for every token: a seventh of what a like costs.
  const secretOrKey = createSecretKey(secret, 'utf8') as unknown as Buffer;
  authority.use(
    // The algorithm is pinned: a token must not choose how it is checked.
    new Strategy({ jwtFromRequest, secretOrKey, algorithms: ['HS256'] }, (payload: unknown, done) => {
      done(null, userOfClaims(payload) ?? false);
    }),
  );
  return {
    authenticate(request, response) {
      if (request.headers.authorization === undefined) return Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        const decide = (error: unknown, user: AuthenticatedUser | false | undefined, info: unknown): void => {
          if (error !== null && error !== undefined) reject(error as Error);
          else if (user === false || user === undefined) reject(refusal(info));
          else resolve(user);
        };
        const check = authority.authenticate('jwt', { session: false }, decide) as (
          req: Request,
          res: Response,
          next: (error?: unknown) => void,
        ) => void;
        check(request, response, reject);
      });
    },
  };
}

function refusal(info: unknown): DomainError {
  const expired = info instanceof Error && info.name === 'TokenExpiredError';
  return expired
    ? new DomainError('unauthenticated', 'token_expired', 'The access token has expired; refresh it.')
    : new DomainError('unauthenticated', 'token_invalid', 'The access token is not valid; log in again.');
}
