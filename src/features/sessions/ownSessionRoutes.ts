import { z } from 'zod';
import { sessions } from '../../../projections/sessions.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { readCookie } from '../../http/request/cookies.ts';
import { route, type Route } from '../../http/route.ts';
import {
  changePassword,
  createKnownDevices,
  DEVICE_COOKIE,
  givenPassword,
  nameHashOf,
  newPassword,
  normalised,
  readRegistered,
  revokeOtherSessions,
} from '../accounts/index.ts';
import type { ApiContext } from '../feature.ts';
import { revokeSession } from './sessionCommands.ts';
import { sessionsOf } from './sessionQueries.ts';

const passwordChange = z
  .object({ currentPassword: givenPassword, newPassword: newPassword.meta({ examples: ['difference#1822'] }) })
  .meta({ id: 'PasswordChange' });

const EXAMPLE_ID = '01980a41-7d2c-7b1e-9f60-3c5d8a2e4b71';
const sessionId = z.uuid().meta({ examples: [EXAMPLE_ID] });

const sessionSchema = z
  .object({
    id: sessionId,
    createdAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    lastUsedAt: z.iso
      .datetime()
      .meta({ description: 'When it started or was refreshed last.', examples: [exampleValues.created] }),
    expiresAt: z.iso
      .datetime()
      .meta({ description: 'Unless it is refreshed before.', examples: ['2025-08-14T10:00:00.000Z'] }),
    userAgent: z
      .string()
      .nullable()
      .meta({
        description: 'The header `User-Agent` of the login, shortened to 300 characters; null if there was none.',
        examples: ['Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0'],
      }),
    current: z.boolean().meta({ description: 'Whether it is the session of this request.', examples: [true] }),
  })
  .meta({ id: 'Session' });

/** What users do with their password and their sessions. */
export function ownSessionRoutes(context: ApiContext): Route[] {
  return [changeOwnPassword(context), listSessions(context), revokeOthers(context), revokeOne(context)];
}

function changeOwnPassword(context: ApiContext): Route {
  const { store, passwords, rateLimits, revocations, deviceSecrets } = context;
  const nameHash = nameHashOf(context);
  const devices = createKnownDevices(deviceSecrets);
  return route({
    method: 'put',
    path: '/api/v1/auth/me/password',
    operationId: 'changePassword',
    summary: 'Change your password',
    description:
      'Ends every other session: its cookie and its access tokens are refused from now on. The session of this request stays.',
    tag: 'Accounts',
    auth: 'required',
    body: passwordChange,
    responses: {
      204: { description: 'The new password is valid.' },
      403: { description: 'The current password is wrong.', code: 'password_wrong' },
      429: {
        description: 'Too many wrong passwords for this account. They count together with those at the login.',
        code: 'too_many_guesses',
      },
    },
    async handle({ body: { currentPassword, newPassword }, user: { id, session }, context: command, address, raw }) {
      const { state: before } = await readRegistered(store, id);
      const device = devices.identify(nameHash('email', normalised(before.email)), readCookie(raw, DEVICE_COOKIE));
      const current = { password: currentPassword, field: 'currentPassword', address, device };
      const change = { current, newPassword, keptSession: session?.id ?? null };
      const appended = await changePassword({ store, nameHash, passwords, rateLimits }, id, change, command);
      revocations.add(appended.events);
      return { status: 204, message: 'Password changed successfully', appended };
    },
  });
}

function listSessions({ store, db, readModels }: ApiContext): Route {
  return route({
    method: 'get',
    path: '/api/v1/auth/sessions',
    operationId: 'listSessions',
    summary: 'List your sessions',
    description:
      'The sessions in which you are logged in, last used first. Each login starts one. The list is as of this moment: if it cannot be, the answer is 503 `projection_behind`.',
    tag: 'Accounts',
    auth: 'required',
    responses: {
      200: { description: 'Your sessions.', message: 'Sessions retrieved successfully', data: sessionSchema.array() },
    },
    async handle({ user: { id, session }, context: { now }, signal }) {
      // Sessions of other devices count as well, so what this client has seen is not enough.
      await readModels.untilFresh([sessions], { minPosition: await store.head(), signal });
      const found = await sessionsOf(db, (await readRegistered(store, id)).state, now);
      const data = found.map((each) => ({ ...each, current: each.id === session?.id }));
      return { status: 200, message: 'Sessions retrieved successfully', data };
    },
  });
}

function revokeOthers({ store, revocations }: ApiContext): Route {
  return route({
    method: 'delete',
    path: '/api/v1/auth/sessions',
    operationId: 'revokeOtherSessions',
    summary: 'End all your other sessions',
    description: 'Their cookies and access tokens are refused from now on. The session of this request stays.',
    tag: 'Accounts',
    auth: 'required',
    responses: { 204: { description: 'All other sessions have ended.' } },
    async handle({ user: { id, session }, context }) {
      const appended = await revokeOtherSessions(store, id, session?.id ?? null, context);
      revocations.add(appended.events);
      return { status: 204, message: 'Sessions revoked successfully', appended };
    },
  });
}

function revokeOne({ store, revocations }: ApiContext): Route {
  return route({
    method: 'delete',
    path: '/api/v1/auth/sessions/:sessionId',
    operationId: 'revokeSession',
    summary: 'End one of your sessions',
    description:
      'Its cookie and its access tokens are refused from now on. A session that has ended already is no error. To end the session of this request, log out: that also removes the cookie.',
    tag: 'Accounts',
    auth: 'required',
    params: z.object({
      sessionId: sessionId.meta({ description: 'From the list of your sessions.', examples: [EXAMPLE_ID] }),
    }),
    responses: {
      204: { description: 'The session has ended.' },
      404: { description: 'You have no such session.', code: 'session_not_found' },
    },
    async handle({ params, user: { id }, context }) {
      const appended = await revokeSession({ store, revocations }, params.sessionId, id, context);
      return { status: 204, message: 'Session revoked successfully', appended };
    },
  });
}
