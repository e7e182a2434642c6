import { z } from 'zod';
import { moderation } from '../../../projections/moderation.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { accountUnknown, createRoles, readUser } from '../accounts/index.ts';
import type { ApiContext } from '../feature.ts';
import { createMoveFiles, readVideo, videoIdOf, videoIdParams } from '../videos/index.ts';
import { decisionsOnUser } from './decisions.ts';
import { moderateUser, moderateVideo, moveNow, type UserDecision, type VideoDecision } from './moderate.ts';
import { createModerationQueries } from './moderationQueries.ts';
import { decidedSchema, moderatedUserSchema, reasonBody } from './schemas.ts';
import { suspensionOf } from './suspensionOf.ts';

const access = { tag: 'Moderation', auth: 'required', role: 'admin' } as const;

const userParams = z.object({
  userId: z.string().meta({ description: 'The id of the user.', format: 'uuid', examples: [exampleValues.userId] }),
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws DomainError `account_unknown` for text that cannot be an id */
function userIdOf({ userId }: { readonly userId: string }): string {
  if (!UUID.test(userId)) throw accountUnknown();
  return userId.toLowerCase();
}

export function decisionRoutes(context: ApiContext): Route[] {
  return [
    decideOnVideo(context, 'hide'),
    decideOnVideo(context, 'restore'),
    decideOnVideo(context, 'remove'),
    showUser(context),
    decideOnUser(context, 'suspend'),
    decideOnUser(context, 'reinstate'),
  ];
}

const removed: Route['responses'] = {
  409: { description: 'A moderator has removed the video. Its files no longer exist.', code: 'video_removed' },
};

const ofVideo = {
  hide: {
    operationId: 'hideVideo',
    summary: 'Hide a video',
    description:
      'The video is at once gone for everyone but its owner, who sees it as hidden, with the reason, and may delete it. Its files can no longer be fetched under their public URLs. Copies in caches of others are not reached. A repeat changes nothing.',
    message: 'Video hidden successfully',
    state: 'hidden',
    refusals: removed,
  },
  restore: {
    operationId: 'restoreVideo',
    summary: 'Show a hidden video again',
    description:
      'The video is seen again by those whom its visibility allows. The files have their public URLs again, within seconds. Nothing changes for a video that is not hidden.',
    message: 'Video restored successfully',
    state: 'visible',
    refusals: removed,
  },
  remove: {
    operationId: 'removeVideo',
    summary: 'Remove a video',
    description:
      'Deletes the video and its files for good. Its owner sees the reason. It cannot be undone. A repeat changes nothing.',
    message: 'Video removed successfully',
    state: 'removed',
    refusals: {} as Route['responses'],
  },
} as const;

function decideOnVideo(context: ApiContext, decision: VideoDecision): Route {
  const { store, logger } = context;
  const { operationId, summary, description, message, state, refusals } = ofVideo[decision];
  const moveFiles = createMoveFiles(context);
  return route({
    ...access,
    method: 'post',
    path: `/api/v1/admin/videos/:videoId/${decision}`,
    operationId,
    summary,
    description,
    params: videoIdParams,
    body: reasonBody,
    responses: {
      200: { description: 'What the video is now.', message, data: decidedSchema },
      404: { description: 'There is no such video, or its owner has deleted it.', code: 'video_not_found' },
      ...refusals,
    },
    async handle({ params, body: { reason }, user, context: command }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const { stream, types } = await moderateVideo(store, videoId, decision, { by: user.id, reason }, command);
      const filesMoved = await moveNow({ moveFiles, logger }, videoId, command);
      // Whoever reads after the answer gets the URLs of the files where they are now.
      const { position } = await readVideo(store, videoId);
      const appended = { stream, position, types: [...types, 'VideoFilesMoved'] };
      return { status: 200, message, data: { videoId, state, filesMoved }, appended };
    },
  });
}

function showUser({ store, db, objects, settings }: ApiContext): Route {
  const queries = createModerationQueries({ db, urls: objects });
  const roles = createRoles(settings);
  return route({
    ...access,
    method: 'get',
    path: '/api/v1/admin/users/:userId',
    operationId: 'getModeratedUser',
    summary: 'Get a user',
    description:
      'The public profile of a user, whether the user is suspended, and numbers of videos and reports. No e-mail address.',
    reads: [moderation, videos],
    params: userParams,
    responses: {
      200: { description: 'The user.', message: 'User retrieved successfully', data: moderatedUserSchema },
      404: { description: 'There is no such account.', code: 'account_unknown' },
    },
    async handle({ params }): Promise<Reply> {
      const userId = userIdOf(params);
      const user = await readUser(store, userId);
      if (user.status !== 'registered') throw accountUnknown();
      const [numbers, decisions] = await Promise.all([queries.numbersOf(userId), decisionsOnUser(store, userId)]);
      const { id, name, username, createdAt, email, admin } = user;
      const isAdmin = roles.roleOf({ email, isGranted: admin === 'granted' }) === 'admin';
      const data = {
        ...{ id, name, username, createdAt, isAdmin },
        suspended: suspensionOf(user),
        ...numbers,
        decisions,
      };
      return { status: 200, message: 'User retrieved successfully', data };
    },
  });
}

const ofUser = {
  suspend: {
    operationId: 'suspendUser',
    summary: 'Suspend a user',
    description:
      "Ends all sessions of the user at once, and refuses new ones: after the right password, a login is answered with 403 and the reason. The user's videos stay as they are. A repeat changes nothing.",
    message: 'User suspended successfully',
    refusals: { 409: { description: "It is the admin's own account.", code: 'own_account' } } as Route['responses'],
  },
  reinstate: {
    operationId: 'reinstateUser',
    summary: 'End the suspension of a user',
    description: 'The user can log in again. Nothing changes for a user who is not suspended.',
    message: 'User reinstated successfully',
    refusals: {} as Route['responses'],
  },
} as const;

function decideOnUser({ store, revocations }: ApiContext, decision: UserDecision): Route {
  const { operationId, summary, description, message, refusals } = ofUser[decision];
  return route({
    ...access,
    method: 'post',
    path: `/api/v1/admin/users/:userId/${decision}`,
    operationId,
    summary,
    description,
    params: userParams,
    body: reasonBody,
    responses: {
      200: {
        description: 'The user is suspended, or no longer.',
        message,
        data: moderatedUserSchema.pick({ id: true, suspended: true }),
      },
      404: { description: 'There is no such account.', code: 'account_unknown' },
      ...refusals,
    },
    async handle({ params, body: { reason }, user: admin, context: command }): Promise<Reply> {
      const userId = userIdOf(params);
      const decided = await moderateUser(store, userId, decision, { by: admin.id, reason }, command);
      const { user, events, ...appended } = decided;
      revocations.add(events);
      return { status: 200, message, data: { id: userId, suspended: suspensionOf(user) }, appended };
    },
  });
}
