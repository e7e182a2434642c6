import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Reply, type Route, type RouteRequest } from '../../http/route.ts';
import { videos } from '../../../projections/videos/videos.ts';
import type { ApiContext } from '../feature.ts';
import { videoIdOf, videoIdParams } from '../videos/index.ts';
import type { LikeCommand } from './decider.ts';
import { createLikeCommands } from './likeCommands.ts';
import { createLikeQueries } from './likeQueries.ts';

export const likeSchema = z.object({
  message: z.string().meta({ examples: ['Video liked successfully'] }),
  videoId: z.uuid().meta({ examples: [exampleValues.videoId] }),
  likeCount: z
    .int32()
    .min(0)
    .meta({ description: 'Including this like.', examples: [3] }),
  likeStatus: z.boolean().meta({ description: 'Whether the caller likes the video now.', examples: [true] }),
});

type LikeRequest = RouteRequest<z.infer<typeof videoIdParams>, unknown, unknown, 'required'>;

export function likeRoutes(context: ApiContext): Route[] {
  const { readModels } = context;
  const commands = createLikeCommands(context);
  const queries = createLikeQueries(context);

  async function change(type: LikeCommand['type'], request: LikeRequest): Promise<Reply> {
    const { params, user, context: command, signal } = request;
    const videoId = videoIdOf(params);
    const video = await queries.likeable(videoId, user.id);
    const like: LikeCommand = { type, videoId, userId: user.id, ...video, at: command.now.toISOString() };
    const { liked, change: difference, ...appended } = await commands.handle(like, command);
    // Both waits begin at the same time.
    const [isCounted, isShown] = await Promise.all([
      readModels.isShown(appended, { signal, only: [videos] }),
      readModels.isShown(appended, { signal }),
    ]);
    const { count, holdsIt } = isCounted
      ? { count: await queries.likeCount(videoId, appended), holdsIt: true }
      : await queries.likeCountAgainst(videoId, appended);
    const message = liked ? 'Video liked successfully' : 'Video unliked successfully';
    const likeCount = holdsIt ? count : Math.max(0, count + difference);
    const data = { message, videoId, likeCount, likeStatus: liked };
    return { status: 200, message, data, appended, behind: !isShown };
  }

  const common = {
    tag: 'Videos',
    auth: 'required',
    params: videoIdParams,
    responses: {
      200: {
        description: 'How many likes the video has, and whether the caller likes it.',
        message: 'Video liked successfully',
        data: likeSchema,
      },
      404: {
        description: 'There is no such video, it is not ready, or only its owner may see it.',
        code: 'video_not_found',
      },
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
      description: 'Afterwards the caller likes the video, whether or not before. A repeat changes nothing.',
      handle: (request) => change('Like', request),
    }),
    route({
      ...common,
      method: 'delete',
      path: '/api/v1/video/:videoId/like',
      operationId: 'unlike',
      summary: 'Take a like back',
      description: 'Afterwards the caller does not like the video, whether or not before. A repeat changes nothing.',
      handle: (request) => change('Unlike', request),
    }),
  ];
}
