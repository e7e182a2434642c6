import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import {
  createKnownDevices,
  createRoles,
  DEVICE_COOKIE,
  givenPassword,
  nameHashOf,
  normalised,
} from '../accounts/index.ts';
import { DomainError } from '../../core/errors.ts';
import { readCookie, secretCookies } from '../../http/request/cookies.ts';
import { route, type Route } from '../../http/route.ts';
import { limitedText } from '../../http/request/textSchemas.ts';
import type { ApiContext } from '../feature.ts';
import { logIn, logOut, refreshSession, sessionOf, type SessionTokens } from './sessionCommands.ts';

const COOKIE = 'refreshToken';
/** Browsers keep no cookie for more than 400 days (RFC 6265bis). */
const DEVICE_SECONDS = 400 * 86_400;

const credentials = z
  .object({ email: limitedText({ min: 1, max: 254 }).meta({ examples: ['ada@example.org'] }), password: givenPassword })
  .meta({ id: 'Credentials' });
const accessToken = z
  .object({
    accessToken: z
      .string()
      .meta({
        description:
          'A JWT (HS256) with the claims `id`, `email`, `name`, `username`, `role` (`user` or `admin`) and `exp`. Send it as `Authorization: Bearer …`.',
        examples: ['eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjAxOTgwYTNjIn0.c2lnbmF0dXJl'],
      }),
  })
  .meta({ id: 'AccessToken' });

/**
 * OpenAPI has no security scheme for the cookie: pages cannot set an httpOnly cookie, so an input field could not work.
 */
const COOKIE_IN_WORDS =
  'Login sets the cookie, and browsers send it by themselves. Scripts cannot read or set it (httpOnly). To try this call on the page `/docs`, log in there first.';

const setsCookie = {
  'Set-Cookie': '`refreshToken`: httpOnly, SameSite=Lax, Path=/api/v1/auth, and Secure in production.',
};

export function sessionRoutes(context: ApiContext): Route[] {
  const { store, passwords, tokens, rateLimits, revocations, settings, deviceSecrets } = context;
  const nameHash = nameHashOf(context);
  const dependencies = { store, nameHash, passwords, tokens, rateLimits, revocations, roles: createRoles(settings) };
  const secure = { secure: settings.production };
  const [cookies, deviceCookies] = [secretCookies(COOKIE, secure), secretCookies(DEVICE_COOKIE, secure)];
  const devices = createKnownDevices(deviceSecrets);
  const granted = (
    message: string,
    request: IncomingMessage,
    { accessToken, refreshToken, appended }: SessionTokens,
  ) => ({
    status: 200,
    message,
    data: { accessToken },
    headers: { 'Set-Cookie': cookies.set(request, refreshToken, tokens.refreshSeconds) },
    appended,
  });
  const common = { method: 'post', tag: 'Accounts', auth: 'none', repeat: 'sameCommand' } as const;

  return [
    route({
      ...common,
      path: '/api/v1/auth/login',
      operationId: 'logIn',
      summary: 'Log in',
      description:
        'Starts a session. The access token is valid for minutes; the cookie `refreshToken` renews it until the session ends.',
      body: credentials,
      responses: {
        200: {
          description:
            'An access token, and the cookies `refreshToken` and `device`. The cookie `device` gives no access; it identifies a known device at later logins.',
          message: 'User logged in successfully',
          data: accessToken,
          headers: setsCookie,
        },
        401: {
          description: 'The e-mail or the password is wrong. The answer does not say which.',
          code: 'invalid_credentials',
        },
        403: {
          description: 'A moderator has suspended the account. Only whoever knows the password gets this answer.',
          code: 'account_suspended',
        },
        429: {
          description:
            'Too many attempts from this address (`rate_limited`), or too many wrong passwords for this account (`too_many_guesses`).',
          code: 'too_many_guesses',
        },
      },
      async handle({ body, context, address, raw }) {
        const account = nameHash('email', normalised(body.email));
        const device = devices.identify(account, readCookie(raw, DEVICE_COOKIE));
        const { headers, ...reply } = granted(
          'User logged in successfully',
          raw,
          await logIn(
            dependencies,
            { ...body, userAgent: raw.headers['user-agent'], account, address, device },
            context,
          ),
        );
        const known = deviceCookies.set(raw, devices.issue(account, device), DEVICE_SECONDS);
        return { ...reply, headers: { 'Set-Cookie': [headers['Set-Cookie'], known].flat() } };
      },
    }),
    route({
      ...common,
      path: '/api/v1/auth/refresh-token',
      operationId: 'refreshToken',
      summary: 'Get a new access token',
      description: `Takes the cookie \`refreshToken\` and answers with an access token and a new cookie. Each cookie can be used once. ${COOKIE_IN_WORDS}`,
      cookie: COOKIE,
      limit: 'refresh',
      limitBy(request) {
        const session = sessionOf(tokens, readCookie(request, COOKIE));
        return session === undefined ? undefined : `session:${session.sessionId}`;
      },
      responses: {
        200: {
          description: 'An access token, and the new cookie.',
          message: 'Access token refreshed successfully',
          data: accessToken,
          headers: setsCookie,
        },
        401: {
          description:
            'There is no cookie, or it is malformed, expired, revoked or used before. Using a cookie again after more than 10 s ends the session.',
          code: 'refresh_token_missing',
        },
        403: { description: 'A moderator has suspended the account.', code: 'account_suspended' },
        409: {
          description:
            'The session was refreshed with this cookie less than 10 s ago (`already_refreshed`), perhaps by another tab. The session stays valid: try again with the new cookie.',
          code: 'already_refreshed',
        },
      },
      async handle({ raw, context }) {
        const refreshToken = readCookie(raw, COOKIE);
        if (refreshToken === undefined)
          throw new DomainError('unauthenticated', 'refresh_token_missing', 'There is no refresh token; log in.');
        return granted(
          'Access token refreshed successfully',
          raw,
          await refreshSession(dependencies, refreshToken, context),
        );
      },
    }),
    route({
      ...common,
      path: '/api/v1/auth/logout',
      operationId: 'logOut',
      summary: 'Log out',
      description: `Ends the session that the cookie \`refreshToken\` belongs to. ${COOKIE_IN_WORDS}`,
      cookie: COOKIE,
      responses: {
        200: {
          description: 'The session, if there was one, has ended, and the cookie is removed.',
          message: 'User logged out successfully',
          headers: setsCookie,
        },
      },
      async handle({ raw, context }) {
        const ended = await logOut(dependencies, readCookie(raw, COOKIE), context);
        return {
          status: 200,
          message: 'User logged out successfully',
          headers: { 'Set-Cookie': cookies.clear() },
          ...ended,
        };
      },
    }),
  ];
}
