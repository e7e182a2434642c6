import { videos as videosProjection } from '../../../projections/videos/videos.ts';
import { defineFeature } from '../feature.ts';
import { uploadEventTypes, videoEventTypes, type UploadBegun, type VideoEvent } from './events.ts';
import { videoFeed, videoTopics } from './feed.ts';
import { videoJobRetries, videoProcessing, videoQueues } from './processing/index.ts';
import { videoRoutes } from './routes.ts';

export { handleVideoCommand } from './commandRoutes.ts';
export { isSeenByOthers, seenAs, videoNotFound, videoStream, type VideoState } from './decider.ts';
export { visibilities, type VideoEvent, type Visibility } from './events.ts';
export { topicOfVideo, videoIdField } from './feed.ts';
export { incompleteOf, incompleteVideos, makeMissingExtras, type IncompleteVideo } from './processing/extrasBacklog.ts';
export { createMoveFiles, type MoveFiles } from './processing/moveFiles.ts';
export { deleteVideosOf, removeUploadsOf, uploadsOf } from './forgetOwner.ts';
export { readVideo } from './readVideo.ts';
export { videoIdOf, videoIdParams } from './videoId.ts';
export { createVideoQueries } from './videoQueries.ts';
export { urlsOf, videoSchema, type MediaUrls } from './videoView.ts';

/** Upload, watch, change and delete videos. */
export const videos = defineFeature<VideoEvent | UploadBegun>({
  name: 'videos',
  events: { ...uploadEventTypes, ...videoEventTypes },
  feed: videoFeed,
  topics: videoTopics,
  projections: [videosProjection],
  tags: {
    Videos: 'Upload, watch, like, change and delete videos.',
    Uploads: 'Upload files that can be resumed after an interruption.',
  },
  routes: videoRoutes,
  queues: videoQueues,
  jobRetries: videoJobRetries,
  work: videoProcessing,
});
