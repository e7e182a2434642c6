import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { quotaRefusal, type UploadQuota } from './processing/uploadQuota.ts';
import { createVideoQueries } from './videoQueries.ts';
import { currentView } from './currentView.ts';
import type { ApiContext } from '../feature.ts';
import { handleVideoCommand } from './commandRoutes.ts';
import { ownVideo, videoNotFound } from './decider.ts';
import { readVideo } from './readVideo.ts';
import { videoIdOf, videoIdParams } from './videoId.ts';
import { videoSchema } from './videoView.ts';

/** A retry waits in the queue as an upload does, and counts against the same limits. */
export function retryRoute({ store, db, objects, readModels }: ApiContext, quota: UploadQuota): Route {
  const queries = createVideoQueries({ db, urls: objects });
  return route({
    method: 'post',
    path: '/api/v1/video/:videoId/retry',
    operationId: 'retryVideo',
    summary: 'Process a failed video again',
    description:
      'Processes the uploaded file again. Only the owner of a video may do this, and only after its processing has failed. It counts against the same limits as an upload.',
    tag: 'Videos',
    auth: 'required',
    limit: 'upload',
    params: videoIdParams,
    responses: {
      202: {
        description: 'The video is being processed again.',
        message: 'The video is being processed again',
        data: videoSchema,
      },
      403: { description: 'The video belongs to another user.', code: 'not_your_video' },
      404: { description: 'There is no such video.', code: 'video_not_found' },
      409: { description: 'The processing of this video has not failed.', code: 'not_failed' },
      429: quotaRefusal,
    },
    async handle({ params, user, context, signal }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const video = ownVideo((await readVideo(store, videoId)).state, user.id);
      await quota.reserve({ videoId, ownerId: video.ownerId, bytes: video.original.size });
      const appended = await handleVideoCommand(
        store,
        videoId,
        { type: 'RetryProcessing', by: { userId: user.id }, at: context.now.toISOString() },
        context,
      ).catch(async (error: unknown) => {
        // The store has not answered, so the event may be in the log.
        if (!(error instanceof EventStoreUnavailable)) await quota.release(videoId);
        throw error;
      });
      const { state } = appended;
      if (state.status === 'none' || state.status === 'deleted') throw videoNotFound();
      const behind = !(await readModels.isShown(appended, { signal }));
      const data = await currentView(queries, objects, state, user);
      return { status: 202, message: 'The video is being processed again', data, appended, behind };
    },
  });
}
