import type { ExistingVideo } from './decider.ts';
import type { VideoQueries } from './videoQueries.ts';
import { viewOfState, type MediaUrls, type VideoView } from './videoView.ts';

/**
 * A video for the answer to a command. The command may be ahead of the read model, so what the video is comes from its
 * stream; its owner's name and all that is counted come from the read model.
 * @param owner from the access token, for an owner whom the read model does not have yet: the name may have changed since
 */
export async function currentView(
  queries: Pick<VideoQueries, 'author' | 'counts'>,
  urls: MediaUrls,
  video: ExistingVideo,
  owner: VideoView['user'],
): Promise<VideoView> {
  const [author = owner, counts] = await Promise.all([queries.author(video.ownerId), queries.counts(video.id)]);
  const { name, username } = author;
  return viewOfState(video, { name, username }, urls, counts);
}
