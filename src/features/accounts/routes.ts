import type { EventStore } from '../../core/eventStore.ts';
import { DomainError } from '../../core/errors.ts';
import { isShown, untilMinPosition } from '../../http/consistency/minPosition.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import { tooMany } from '../../rateLimits/tooMany.ts';
import type { ProjectionProgress } from '../../core/projectionProgress.ts';
import { videoSchema, type VideoView } from '../videos/videoView.ts';
import type { AccountQueries, AccountView } from './accountQueries.ts';
import { accountSchema, registrationSchema } from './accountSchemas.ts';
import type { RegisteredUser } from './decider.ts';
import { readUser } from './readAccount.ts';
import { registerUser, type RegisterUserDependencies } from './registerUser.ts';

export interface AccountRoutesDependencies extends RegisterUserDependencies {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly queries: AccountQueries;
  /** All videos of a user, newest first, also those that only their owner may see. */
  readonly videosOf: (userId: string) => Promise<readonly VideoView[]>;
  readonly progress: Pick<ProjectionProgress, 'waitFor'>;
  readonly rateLimits: Pick<RateLimits, 'consume'>;
}

export function accountRoutes(dependencies: AccountRoutesDependencies): Route[] {
  return [register(dependencies), me(dependencies)];
}

function register(dependencies: AccountRoutesDependencies): Route {
  return route({
    method: 'post',
    path: '/api/v1/auth/register',
    operationId: 'register',
    summary: 'Register a user',
    description:
      'Creates an account. Registering does not log in: call login next. Of several registrations at once for one e-mail address or username, exactly one succeeds.',
    tag: 'Accounts',
    auth: 'none',
    repeat: 'sameCommand',
    body: registrationSchema,
    responses: {
      201: { description: 'The new user.', message: 'User registered successfully', data: accountSchema },
      409: {
        description:
          'The e-mail address (`email_taken`) or the username (`username_taken`) belongs to another user, compared without regard to case.',
        code: 'email_taken',
      },
    },
    async handle({ body, context, address, signal }): Promise<Reply> {
      // Also when a name is taken: asking for many names would show who is registered.
      const state = await dependencies.rateLimits.consume('registration', `ip:${address}`);
      if (state?.allowed === false) throw tooMany('Too many accounts were registered from this address', state);
      const { user, stream, position } = await registerUser(dependencies, body, context);
      const shown = await isShown(dependencies.progress, ['accounts', 'videos'], { stream, position }, signal);
      return { status: 201, message: 'User registered successfully', data: viewOf(user), position, behind: !shown };
    },
  });
}

function me({ store, queries, videosOf, progress }: AccountRoutesDependencies): Route {
  return route({
    method: 'get',
    path: '/api/v1/auth/me',
    operationId: 'getMe',
    summary: 'Get your account and your videos',
    description:
      'The account of the access token, with all of its videos, newest first, also those that are being processed or that failed.',
    tag: 'Accounts',
    auth: 'required',
    responses: {
      200: {
        description: 'The caller.',
        message: 'User retrieved successfully',
        data: accountSchema.extend({ videos: videoSchema.array() }).meta({ id: 'Me' }),
      },
    },
    async handle(request): Promise<Reply> {
      await untilMinPosition(progress, ['accounts', 'videos'], request);
      const { id } = request.user!;
      const [known, videos] = await Promise.all([queries.byId(id), videosOf(id)]);
      const account = known ?? (await fromLog(store, id));
      return { status: 200, message: 'User retrieved successfully', data: { ...account, videos } };
    },
  });
}

/** Who has just registered may be ahead of the read model. */
async function fromLog(store: Pick<EventStore, 'readStream'>, userId: string): Promise<AccountView> {
  const user = await readUser(store, userId);
  if (user.status !== 'registered')
    throw new DomainError('unauthenticated', 'user_unknown', 'This account does not exist any longer.');
  return viewOf(user);
}

function viewOf({ id, name, username, email, createdAt, updatedAt }: RegisteredUser): AccountView {
  return { id, name, username, email, createdAt, updatedAt };
}
