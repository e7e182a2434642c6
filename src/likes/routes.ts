import { z } from 'zod';
import { isShown } from '../http/minPosition.ts';
import { route, type Reply, type Route, type RouteRequest } from '../http/route.ts';
import type { ProjectionProgress } from '../projecting/progress.ts';
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
  message: z.string(),
  videoId: z.uuid(),
  likeCount: z.int().describe('Including this like.'),
  likeStatus: z.boolean().describe('Whether the caller likes the video now.'),
});

type VideoParams = z.infer<typeof videoIdParams>;

export function likeRoutes({ commands, queries, progress }: LikeRoutesDependencies): Route[] {
  async function change(type: LikeCommand['type'], { params, user, context, signal }: RouteRequest<VideoParams, unknown, unknown>): Promise<Reply> {
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
    const { count, holdsIt } = isCounted ? { count: await queries.likeCount(videoId), holdsIt: true } : await queries.likeCountAgainst(videoId, written);
    const message = liked ? 'Video liked successfully' : 'Video unliked successfully';
    const data = { message, videoId, likeCount: holdsIt ? count : Math.max(0, count + difference), likeStatus: liked };
    return { status: 200, message, data, position, behind: !holdsIt || !isElsewhere };
  }

  const common = {
    tag: 'Videos',
    auth: 'required',
    params: videoIdParams,
    responses: { 200: { description: 'How the like stands now.', data: likeSchema }, 404: { description: 'There is no such video, or it is not ready.' } },
  } as const;

  return [
    route({
      ...common,
      method: 'post',
      path: '/api/v1/video/:videoId',
      operationId: 'toggleLike',
      summary: 'Like a video, or take the like back',
      handle: (request) => change('ToggleLike', request),
    }),
    route({
      ...common,
      method: 'put',
      path: '/api/v1/video/:videoId/like',
      operationId: 'like',
      summary: 'Like a video',
      handle: (request) => change('Like', request),
    }),
    route({
      ...common,
      method: 'delete',
      path: '/api/v1/video/:videoId/like',
      operationId: 'unlike',
      summary: 'Take a like back',
      handle: (request) => change('Unlike', request),
    }),
  ];
}
