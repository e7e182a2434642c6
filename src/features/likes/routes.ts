import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { isShown } from '../../http/consistency/minPosition.ts';
import { route, type Reply, type Route, type RouteRequest } from '../../http/route.ts';
import type { ProjectionProgress } from '../../core/projectionProgress.ts';
import { videoIdOf, videoIdParams } from '../videos/videoId.ts';
import type { LikeCommand } from './decider.ts';
import type { LikeCommands } from './likeCommands.ts';
import type { LikeQueries } from './likeQueries.ts';

export interface LikeRoutesDependencies {
  readonly commands: LikeCommands;
  readonly queries: LikeQueries;
  readonly progress: Pick<ProjectionProgress, 'waitFor'>;
}

const likeSchema = z.object({
  message: z.string().meta({ examples: ['Video liked successfully'] }),
  videoId: z.uuid().meta({ examples: [exampleValues.videoId] }),
  likeCount: z
    .int32()
    .min(0)
    .meta({ description: 'Including this like.', examples: [3] }),
  likeStatus: z.boolean().meta({ description: 'Whether the caller likes the video now.', examples: [true] }),
});

type VideoParams = z.infer<typeof videoIdParams>;

export function likeRoutes({ commands, queries, progress }: LikeRoutesDependencies): Route[] {
  async function change(
    type: LikeCommand['type'],
    { params, user, context, signal }: RouteRequest<VideoParams, unknown, unknown>,
  ): Promise<Reply> {
    const videoId = videoIdOf(params);
    const userId = user!.id;
    const ownerId = await queries.ownerOfLikeable(videoId);
    const command: LikeCommand = { type, videoId, userId, ownerId, at: context.now.toISOString() };
    const { liked, change: difference, stream, position } = await commands.handle(command, context);
    const written = { stream, position };
    const [isCounted, isElsewhere] = await Promise.all([
      isShown(progress, ['videos'], written, signal),
      isShown(progress, ['likes', 'analytics'], written, signal),
    ]);
    const { count, holdsIt } = isCounted
      ? { count: await queries.likeCount(videoId), holdsIt: true }
      : await queries.likeCountAgainst(videoId, written);
    const message = liked ? 'Video liked successfully' : 'Video unliked successfully';
    const data = { message, videoId, likeCount: holdsIt ? count : Math.max(0, count + difference), likeStatus: liked };
    return { status: 200, message, data, position, behind: !holdsIt || !isElsewhere };
  }

  const common = {
    tag: 'Videos',
    auth: 'required',
    params: videoIdParams,
    responses: {
      200: {
        description: 'How many likes the video has, and whether the caller’s is one of them.',
        message: 'Video liked successfully',
        data: likeSchema,
      },
      404: { description: 'There is no such video, or it is not ready.', code: 'video_not_found' },
    },
  } as const;

  return [
    route({
      ...common,
      method: 'post',
      path: '/api/v1/video/:videoId',
      operationId: 'toggleLike',
      summary: 'Toggle a like',
      description:
        'Likes the video if the caller does not like it yet, and takes the like back otherwise. A client that may repeat its requests should use PUT and DELETE, or an `Idempotency-Key`.',
      handle: (request) => change('ToggleLike', request),
    }),
    route({
      ...common,
      method: 'put',
      path: '/api/v1/video/:videoId/like',
      operationId: 'like',
      summary: 'Like a video',
      description: 'After it the caller likes the video, whatever was before. Repeating it changes nothing.',
      handle: (request) => change('Like', request),
    }),
    route({
      ...common,
      method: 'delete',
      path: '/api/v1/video/:videoId/like',
      operationId: 'unlike',
      summary: 'Take a like back',
      description: 'After it the caller does not like the video, whatever was before. Repeating it changes nothing.',
      handle: (request) => change('Unlike', request),
    }),
  ];
}
