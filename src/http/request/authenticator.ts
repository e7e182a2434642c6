import { createSecretKey, type KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { z } from 'zod';
import { DomainError } from '../../core/errors.ts';
import { madeOf, type KeyRing } from '../../core/keyRing.ts';
import type { AuthenticatedUser } from '../route.ts';

/** Finds out who sent a request, from its access token alone. */
export interface Authenticator {
  /** Undefined when the request carries no token. @throws DomainError `token_expired`, `token_invalid`, `session_revoked` */
  authenticate(request: TokenCarrier): Promise<AuthenticatedUser | undefined>;
}

/** Verifies an access token that did not come in the header of a request. */
export interface AccessTokenVerifier {
  /** @throws DomainError `token_expired`, `token_invalid`, `session_revoked` */
  verify(token: string): Promise<VerifiedToken>;
}

export interface VerifiedToken {
  readonly user: AuthenticatedUser;
  /** Undefined: never. */
  readonly expires: Date | undefined;
}

export interface AuthenticatorOptions {
  /** `JWT_SECRET`. */
  readonly secret: KeyRing<string>;
  /** Whether the session of a valid token has ended. It is asked for every request and must not take time. Never by default. */
  readonly isRevoked?: (user: AuthenticatedUser) => boolean;
}

/** The claims of an access token. Clients of the original server read these names. */
const accessClaims = z.object({
  id: z.string().min(1),
  name: z.string(),
  username: z.string(),
  email: z.string(),
  /** Tokens from before there were roles do not have it. */
  role: z.enum(['user', 'admin']).catch('user'),
  sid: z.string().optional(),
  /** Tokens from before there were generations do not have it. */
  gen: z.number().catch(0),
  /** Seconds since 1970 (RFC 7519). */
  exp: z.number().optional(),
});

/** How many verified tokens are remembered. With its user, one takes about 1 KB. */
const MOST_REMEMBERED = 10_000;

/** The part of a request that Passport and the strategy read. */
type TokenCarrier = Pick<IncomingMessage, 'headers'>;

export function createAuthenticator({
  secret,
  isRevoked = () => false,
}: AuthenticatorOptions): Authenticator & AccessTokenVerifier {
  const authority = new passport.Passport();
  const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
  // jsonwebtoken would try a text as a public key first, for every token: a seventh of the cost of a like.
  const keys = madeOf(secret, (each) => createSecretKey(each, 'utf8'));
  const secretOrKeyProvider = (_: unknown, token: string, done: (error: null, key: Buffer) => void): void => {
    done(null, keyOf(token) as unknown as Buffer);
  };
  authority.use(
    // The algorithm is fixed: a token must not choose how it is checked.
    new Strategy({ jwtFromRequest, secretOrKeyProvider, algorithms: ['HS256'] }, (payload: unknown, done) => {
      const { data } = accessClaims.safeParse(payload);
      done(null, data !== undefined && verified(data));
    }),
  );

  /** The key that signed the token; any, when none of them did: the strategy then refuses the token. */
  function keyOf(token: string): KeyObject {
    const all = keys();
    return (all.length === 1 ? undefined : all.find((key) => signed(token, key))) ?? all[0]!;
  }

  // By the whole header, since that is what was verified. A token is remembered only when it is valid, and ends when it
  // expires, so the answer is always that of a new check. Checking one takes longer than answering from the cache.
  const remembered = new LRUCache<string, VerifiedToken>({ max: MOST_REMEMBERED });

  let rememberedUnder = keys();

  async function checkHeader(authorization: string): Promise<VerifiedToken> {
    // A key that is no longer accepted may have signed a token that has not expired.
    if (keys() !== rememberedUnder) {
      remembered.clear();
      rememberedUnder = keys();
    }
    const known = remembered.get(authorization);
    if (known !== undefined && !hasExpired(known)) return accepted(known);
    const token = await check({ headers: { authorization } });
    remembered.set(authorization, token);
    return accepted(token);
  }

  function accepted(token: VerifiedToken): VerifiedToken {
    if (isRevoked(token.user))
      throw new DomainError('unauthenticated', 'session_revoked', 'This session was ended; log in again.');
    return token;
  }

  async function check(carrier: TokenCarrier): Promise<VerifiedToken> {
    try {
      return await checkOnce(carrier);
    } catch (error) {
      // Another process may sign with a new key that this one has not read yet.
      if ((error as DomainError).code !== 'token_invalid' || !secret.refresh()) throw error;
      return checkOnce(carrier);
    }
  }

  function checkOnce(carrier: TokenCarrier): Promise<VerifiedToken> {
    return new Promise((resolve, reject) => {
      const decide = (error: unknown, token: VerifiedToken | false | undefined, info: unknown): void => {
        if (error !== null && error !== undefined) reject(error as Error);
        else if (token === false || token === undefined) reject(refusal(info));
        else resolve(token);
      };
      const authenticate = authority.authenticate('jwt', { session: false }, decide) as (
        request: TokenCarrier,
        response: undefined,
        next: (error?: unknown) => void,
      ) => void;
      authenticate(carrier, undefined, reject);
    });
  }

  return {
    async authenticate({ headers: { authorization } }) {
      return authorization === undefined ? undefined : (await checkHeader(authorization)).user;
    },
    async verify(token) {
      // Passport takes tokens from requests only. A header ends at a space, so a token with one would be read in part.
      if (/\s/.test(token)) throw refusal(undefined);
      return checkHeader(`Bearer ${token}`);
    },
  };
}

function signed(token: string, key: KeyObject): boolean {
  try {
    jwt.verify(token, key, { algorithms: ['HS256'], ignoreExpiration: true });
    return true;
  } catch {
    return false;
  }
}

/** As jsonwebtoken compares: a token has expired when its second has begun. */
function hasExpired({ expires }: VerifiedToken): boolean {
  return expires !== undefined && Date.now() >= expires.getTime();
}

function verified({ exp, sid, gen, ...claims }: z.infer<typeof accessClaims>): VerifiedToken {
  const user = { ...claims, session: sid === undefined ? undefined : { id: sid, generation: gen } };
  return { user, expires: exp === undefined ? undefined : new Date(exp * 1_000) };
}

function refusal(info: unknown): DomainError {
  const expired = info instanceof Error && info.name === 'TokenExpiredError';
  return expired
    ? new DomainError('unauthenticated', 'token_expired', 'The access token has expired; refresh it.')
    : new DomainError('unauthenticated', 'token_invalid', 'The access token is not valid; log in again.');
}
