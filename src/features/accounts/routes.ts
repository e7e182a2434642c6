import type { EventStore } from '../../core/eventStore.ts';
import { DomainError } from '../../core/errors.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { tooMany } from '../../rateLimits/tooMany.ts';
import type { ApiContext } from '../feature.ts';
import { createVideoQueries, videoSchema } from '../videos/index.ts';
import { createAccountQueries, type KnownAccount } from './accountQueries.ts';
import { accountSchema, registrationSchema, roleMetaSchema } from './accountSchemas.ts';
import type { RegisteredUser } from './decider.ts';
import { readUser } from './readAccount.ts';
import { createGrantToFirst } from './firstAccount.ts';
import { nameHashOf } from './names.ts';
import { createRoles, type Roles } from './roles.ts';
import { registerUser } from './registerUser.ts';
import { accounts } from '../../../projections/accounts.ts';
import { videos } from '../../../projections/videos/videos.ts';

export const meSchema = accountSchema.extend({ videos: videoSchema.array() }).meta({ id: 'Me' });

export function accountRoutes(context: ApiContext): Route[] {
  return [register(context), me(context)];
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
      const state = await rateLimits.consume('registration', `ip:${address}`);
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
      const { account, role } = found ?? known(await fromLog(store, id), roles);
      return { status: 200, message: 'User retrieved successfully', data: { ...account, videos }, meta: { role } };
    },
  });
}

/** The read model may not have a new user yet. */
async function fromLog(store: Pick<EventStore, 'readStream'>, userId: string): Promise<RegisteredUser> {
  const user = await readUser(store, userId);
  if (user.status !== 'registered')
    throw new DomainError('unauthenticated', 'user_unknown', 'This account no longer exists.');
  return user;
}

function known(
  { id, name, username, email, admin, createdAt, updatedAt }: RegisteredUser,
  { roleOf }: Roles,
): KnownAccount {
  const role = roleOf({ email, isGranted: admin === 'granted' });
  return { account: { id, name, username, email, createdAt, updatedAt }, role };
}
