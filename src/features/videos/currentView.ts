import type { ExistingVideo } from './decider.ts';
import type { VideoQueries } from './videoQueries.ts';
import { viewOfState, type MediaUrls, type VideoView } from './videoView.ts';

/**
 * A video for the answer to a command. The command may be ahead of the read model, so what the video is comes from its
 * stream; all that is counted comes from the read model.
 */
export async function currentView(
  queries: Pick<VideoQueries, 'counts'>,
  urls: MediaUrls,
  video: ExistingVideo,
  { name, username }: VideoView['user'],
): Promise<VideoView> {
  return viewOfState(video, { name, username }, urls, await queries.counts(video.id));
}
