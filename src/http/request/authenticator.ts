import { createSecretKey } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { z } from 'zod';
import { DomainError } from '../../core/errors.ts';
import type { AuthenticatedUser } from '../route.ts';

/** Finds out who sent a request, from its access token alone. */
export interface Authenticator {
  /** Undefined when the request carries no token. @throws DomainError `token_expired`, `token_invalid` */
  authenticate(request: Request, response: Response): Promise<AuthenticatedUser | undefined>;
}

/** Verifies an access token that did not come in the header of a request. */
export interface AccessTokenVerifier {
  /** @throws DomainError `token_expired`, `token_invalid` */
  verify(token: string): Promise<VerifiedToken>;
}

export interface VerifiedToken {
  readonly user: AuthenticatedUser;
  /** Undefined: never. */
  readonly expires: Date | undefined;
}

export interface AuthenticatorOptions {
  /** `JWT_SECRET`. */
  readonly secret: string;
}

/** The claims of an access token. Clients of the original server read these names. */
const accessClaims = z.object({
  id: z.string().min(1),
  name: z.string(),
  username: z.string(),
  email: z.string(),
  /** Tokens from before there were roles do not have it. */
  role: z.enum(['user', 'admin']).catch('user'),
  /** Seconds since 1970 (RFC 7519). */
  exp: z.number().optional(),
});

/** The part of a request that Passport and the strategy read. */
type TokenCarrier = Pick<IncomingMessage, 'headers'>;

export function createAuthenticator({ secret }: AuthenticatorOptions): Authenticator & AccessTokenVerifier {
  const authority = new passport.Passport();
  const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
  // jsonwebtoken would try a text as a public key first, for every token: a seventh of the cost of a like.
  const secretOrKey = createSecretKey(secret, 'utf8') as unknown as Buffer;
  authority.use(
    // The algorithm is fixed: a token must not choose how it is checked.
    new Strategy({ jwtFromRequest, secretOrKey, algorithms: ['HS256'] }, (payload: unknown, done) => {
      const { data } = accessClaims.safeParse(payload);
      done(null, data !== undefined && verified(data));
    }),
  );

  function check(carrier: TokenCarrier, response?: Response): Promise<VerifiedToken> {
    return new Promise((resolve, reject) => {
      const decide = (error: unknown, token: VerifiedToken | false | undefined, info: unknown): void => {
        if (error !== null && error !== undefined) reject(error as Error);
        else if (token === false || token === undefined) reject(refusal(info));
        else resolve(token);
      };
      const authenticate = authority.authenticate('jwt', { session: false }, decide) as (
        request: TokenCarrier,
        response: Response | undefined,
        next: (error?: unknown) => void,
      ) => void;
      authenticate(carrier, response, reject);
    });
  }

  return {
    async authenticate(request, response) {
      return request.headers.authorization === undefined ? undefined : (await check(request, response)).user;
    },
    async verify(token) {
      // Passport takes tokens from requests only. A header ends at a space, so a token with one would be read in part.
      if (/\s/.test(token)) throw refusal(undefined);
      return check({ headers: { authorization: `Bearer ${token}` } });
    },
  };
}

function verified({ exp, ...user }: z.infer<typeof accessClaims>): VerifiedToken {
  return { user, expires: exp === undefined ? undefined : new Date(exp * 1_000) };
}

function refusal(info: unknown): DomainError {
  const expired = info instanceof Error && info.name === 'TokenExpiredError';
  return expired
    ? new DomainError('unauthenticated', 'token_expired', 'The access token has expired; refresh it.')
    : new DomainError('unauthenticated', 'token_invalid', 'The access token is not valid; log in again.');
}
