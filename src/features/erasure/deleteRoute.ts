import { z } from 'zod';
import { DomainError } from '../../core/errors.ts';
import { readCookie } from '../../http/request/cookies.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import {
  checkOwnPassword,
  createKnownDevices,
  createRoles,
  DEVICE_COOKIE,
  forgetUser,
  givenPassword,
  nameHashOf,
  normalised,
  readRegistered,
} from '../accounts/index.ts';
import type { ApiContext } from '../feature.ts';

const deletion = z
  .object({ password: givenPassword.meta({ description: 'Your password.' }) })
  .meta({ id: 'AccountDeletion' });

export function deleteRoute(context: ApiContext): Route {
  const { store, passwords, rateLimits, revocations, settings, deviceSecrets } = context;
  const roles = createRoles(settings);
  const nameHash = nameHashOf(context);
  const devices = createKnownDevices(deviceSecrets);
  return route({
    method: 'delete',
    path: '/api/v1/auth/me',
    operationId: 'deleteMe',
    summary: 'Delete your account',
    description:
      'Ends all your sessions at once, this one too. Within seconds your name, username, e-mail address, videos and uploads are erased everywhere, and your username and address are free. The likes and views that you gave stay counted. It cannot be undone: get your data with `GET /api/v1/auth/me/export` before.',
    tag: 'Accounts',
    auth: 'required',
    // A stored answer would be one more thing that is kept of the user.
    repeat: 'sameCommand',
    body: deletion,
    responses: {
      202: {
        description: 'The account is deleted. What is known of the user is being erased.',
        message: 'Account deleted',
      },
      403: { description: 'The password is wrong (`password_wrong`).', code: 'password_wrong' },
      409: {
        description:
          'The e-mail address makes this account an admin (`ADMIN_EMAILS`): whoever registered it next would be one.',
        code: 'admin_listed',
      },
      429: { description: 'Too many wrong passwords for this account.', code: 'too_many_guesses' },
    },
    async handle({ body: { password }, user: { id }, context: command, address, raw }): Promise<Reply> {
      const { state: user } = await readRegistered(store, id);
      const device = devices.identify(nameHash('email', normalised(user.email)), readCookie(raw, DEVICE_COOKIE));
      await checkOwnPassword({ nameHash, passwords, rateLimits }, user, {
        password,
        field: 'password',
        address,
        device,
      });
      if (roles.isListed(user.email)) throw adminIsListed();
      const appended = await forgetUser(store, id, command);
      revocations.add(appended.events);
      return { status: 202, message: 'Account deleted', appended };
    },
  });
}

function adminIsListed(): DomainError {
  return new DomainError(
    'conflict',
    'admin_listed',
    'Your e-mail address makes this account an administrator (ADMIN_EMAILS). Remove it there before you delete the account: whoever registered it next would be an administrator.',
  );
}
