import { DomainError } from '../../core/errors.ts';
import { readCookie } from '../../http/request/cookies.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { addressKey } from '../../rateLimits/addressKey.ts';
import { tooMany } from '../../rateLimits/tooMany.ts';
import type { ApiContext } from '../feature.ts';
import { createVideoQueries, videoSchema } from '../videos/index.ts';
import { createAccountQueries, type KnownAccount } from './accountQueries.ts';
import { accountSchema, profileChangeSchema, registrationSchema, roleMetaSchema } from './accountSchemas.ts';
import { changeProfile } from './changeProfile.ts';
import { holds, type RegisteredUser } from './decider.ts';
import { createGrantToFirst } from './firstAccount.ts';
import { createKnownDevices, DEVICE_COOKIE } from './knownDevice.ts';
import { nameHashOf, normalised } from './names.ts';
import { checkOwnPassword } from './ownPassword.ts';
import { readRegistered } from './readAccount.ts';
import { createRoles, type Roles } from './roles.ts';
import { registerUser } from './registerUser.ts';
import { accounts } from '../../../projections/accounts.ts';
import { videos } from '../../../projections/videos/videos.ts';

export const meSchema = accountSchema.extend({ videos: videoSchema.array() }).meta({ id: 'Me' });

export function accountRoutes(context: ApiContext): Route[] {
  return [register(context), me(context), changeMe(context)];
}

function register(context: ApiContext): Route {
  const { store, passwords, rateLimits, settings } = context;
  const roles = createRoles(settings);
  const grantToFirst = settings.firstUserIsAdmin ? createGrantToFirst(store) : undefined;
  const dependencies = { store, passwords, nameHash: nameHashOf(context), grantToFirst };
  return route({
    method: 'post',
    path: '/api/v1/auth/register',
    operationId: 'register',
    summary: 'Register a user',
    description:
      'Creates an account. It does not log in: call login next. If several requests register the same e-mail address or username at once, exactly one succeeds.',
    tag: 'Accounts',
    auth: 'none',
    repeat: 'sameCommand',
    body: registrationSchema,
    responses: {
      201: {
        description: 'The new user.',
        message: 'User registered successfully',
        data: accountSchema,
        meta: roleMetaSchema,
      },
      409: {
        description:
          'The e-mail address (`email_taken`) or the username (`username_taken`) belongs to another user. Case makes no difference.',
        code: 'email_taken',
      },
    },
    async handle({ body, context: command, address }): Promise<Reply> {
      // Also when a name is taken: trying many names would reveal who is registered.
      const state = await rateLimits.consume('registration', addressKey(address));
      if (state?.allowed === false) throw tooMany('Too many accounts were registered from this address', state);
      const { user, appended } = await registerUser(dependencies, body, command);
      const { account, role } = known(user, roles);
      return { status: 201, message: 'User registered successfully', data: account, meta: { role }, appended };
    },
  });
}

function me({ store, db, objects, settings }: ApiContext): Route {
  const roles = createRoles(settings);
  const queries = createAccountQueries({ db, roles });
  const videoQueries = createVideoQueries({ db, urls: objects });
  return route({
    method: 'get',
    path: '/api/v1/auth/me',
    operationId: 'getMe',
    summary: 'Get your account and your videos',
    description:
      'The account of the access token and all its videos, newest first, including videos that are being processed or have failed.',
    tag: 'Accounts',
    auth: 'required',
    reads: [accounts, videos],
    responses: {
      200: { description: 'The caller.', message: 'User retrieved successfully', data: meSchema, meta: roleMetaSchema },
    },
    async handle({ user: { id } }): Promise<Reply> {
      const [found, videos] = await Promise.all([queries.byId(id), videoQueries.ofOwner(id)]);
      // The read model may not have a new user yet.
      const { account, role } = found ?? known((await readRegistered(store, id)).state, roles);
      return { status: 200, message: 'User retrieved successfully', data: { ...account, videos }, meta: { role } };
    },
  });
}

function changeMe(context: ApiContext): Route {
  const { store, passwords, rateLimits, settings, deviceSecrets } = context;
  const roles = createRoles(settings);
  const nameHash = nameHashOf(context);
  const devices = createKnownDevices(deviceSecrets);
  return route({
    method: 'patch',
    path: '/api/v1/auth/me',
    operationId: 'changeMe',
    summary: 'Change your profile',
    description:
      'Changes the given fields and keeps the others. A new e-mail address needs the password. The old username or address is free at once. Every answer with your videos has the new name; refresh the access token to have it in its claims.',
    tag: 'Accounts',
    auth: 'required',
    // A stored answer would keep personal data.
    repeat: 'sameCommand',
    body: profileChangeSchema,
    responses: {
      200: {
        description: 'The account as it is now.',
        message: 'User updated successfully',
        data: accountSchema,
        meta: roleMetaSchema,
      },
      403: { description: 'The password is wrong (`password_wrong`).', code: 'password_wrong' },
      409: {
        description:
          'The e-mail address (`email_taken`) or the username (`username_taken`) belongs to another user, or the address makes this account an admin and so cannot be given away (`admin_listed`).',
        code: 'username_taken',
      },
      429: { description: 'Too many wrong passwords for this account.', code: 'too_many_guesses' },
    },
    async handle({ body: { password, ...change }, user: { id }, context: command, address, raw }): Promise<Reply> {
      if (change.email !== undefined) {
        const { state: before } = await readRegistered(store, id);
        if (!holds(before, 'email', change.email) && roles.isListed(before.email)) throw emailIsListed();
        const device = devices.identify(nameHash('email', normalised(before.email)), readCookie(raw, DEVICE_COOKIE));
        const given = { password: password ?? '', field: 'password', address, device };
        await checkOwnPassword({ nameHash, passwords, rateLimits }, before, given);
      }
      const { user, appended } = await changeProfile({ store, nameHash }, id, change, command);
      const { account, role } = known(user, roles);
      return { status: 200, message: 'User updated successfully', data: account, meta: { role }, appended };
    },
  });
}

/** Somebody else could register the address and would be an admin. */
function emailIsListed(): DomainError {
  const message =
    'This address makes the account an administrator (ADMIN_EMAILS). Remove it there before it is changed here.';
  return new DomainError('conflict', 'admin_listed', message, { fields: [{ path: 'email', message }] });
}

function known(
  { id, name, username, email, admin, createdAt, updatedAt }: RegisteredUser,
  { roleOf }: Roles,
): KnownAccount {
  const role = roleOf({ email, isGranted: admin === 'granted' });
  return { account: { id, name, username, email, createdAt, updatedAt }, role };
}
