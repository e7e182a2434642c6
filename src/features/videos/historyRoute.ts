import { z } from 'zod';
import type { RecordedEvent } from '../../core/event.ts';
import { readState } from '../../core/readState.ts';
import { pageLimit } from '../../http/request/pageLimit.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { ownVideo, videoDecider, videoNotFound, videoStream } from './decider.ts';
import type { VideoEvent } from './events.ts';
import { historyEntrySchema, historyOf } from './history.ts';
import { videoIdOf, videoIdParams } from './videoId.ts';

export function historyRoute({ store }: ApiContext): Route {
  return route({
    method: 'get',
    path: '/api/v1/video/:videoId/history',
    operationId: 'getVideoHistory',
    summary: 'Get the history of a video',
    description:
      'The events of a video, oldest first. Its owner and admins may read them, also after the video has been deleted. Admins find more, such as where its files are, with `GET /api/v1/admin/events`.',
    tag: 'Videos',
    auth: 'required',
    params: videoIdParams,
    query: z.object({
      limit: pageLimit,
      cursor: z
        .string()
        .regex(/^\d{1,9}$/, 'must be the nextCursor of a page')
        .default('0')
        .transform(Number)
        .meta({ description: 'The `nextCursor` of the page before.' }),
    }),
    responses: {
      200: {
        description: 'A page of the events of the video.',
        message: 'History retrieved successfully',
        data: z.array(historyEntrySchema),
        meta: z.object({
          nextCursor: z
            .string()
            .nullable()
            .meta({ description: 'Null on the last page.', examples: ['100'] }),
        }),
      },
      403: { description: 'The video belongs to another user.', code: 'not_your_video' },
      404: { description: 'There is no such video.', code: 'video_not_found' },
    },
    async handle({ params, query: { limit, cursor }, user }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const events: RecordedEvent<VideoEvent>[] = [];
      const onEvent = (event: RecordedEvent<VideoEvent>): void => void events.push(event);
      const { state } = await readState(store, videoDecider, videoStream(videoId), { onEvent });
      if (state.status === 'none') throw videoNotFound();
      if (user.role !== 'admin') ownVideo(state, user.id);
      // Revisions have no gaps, so the cursor is the revision of the next event.
      const end = cursor + limit;
      const meta = { nextCursor: end < events.length ? String(end) : null };
      const data = events.slice(cursor, end).map(historyOf);
      return { status: 200, message: 'History retrieved successfully', meta, data };
    },
  });
}
