import type { ExistingVideo } from './decider.ts';
import type { VideoQueries } from './videoQueries.ts';
import { viewOfState, type MediaUrls, type VideoView } from './videoView.ts';

/**
 * A video for the answer to a command. The read model may be behind the command, so the video comes from its stream.
 * Its counts and its owner's names come from the read model.
 */
export async function currentView(
  queries: Pick<VideoQueries, 'byId'>,
  urls: MediaUrls,
  video: ExistingVideo,
  owner: VideoView['user'],
): Promise<VideoView> {
  const known = (await queries.byId(video.id))?.video;
  return { ...viewOfState(video, owner, urls), ...(known && { ...countsOf(known), user: known.user }) };
}

function countsOf({ viewCount, likeCount }: VideoView): Pick<VideoView, 'viewCount' | 'likeCount'> {
  return { viewCount, likeCount };
}
