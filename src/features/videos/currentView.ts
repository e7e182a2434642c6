import type { EventStore } from '../../core/eventStore.ts';
import { readUser } from '../accounts/index.ts';
import type { ExistingVideo } from './decider.ts';
import type { VideoQueries } from './videoQueries.ts';
import { viewOfState, type MediaUrls, type VideoView } from './videoView.ts';

export interface CurrentViews {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly queries: Pick<VideoQueries, 'counts'>;
  readonly urls: MediaUrls;
}

/**
 * A video for the answer to a command. The command may be ahead of the read model, so what the video is comes from its
 * stream, and the name of its owner from that of the user; all that is counted comes from the read model.
 */
export async function currentView({ store, queries, urls }: CurrentViews, video: ExistingVideo): Promise<VideoView> {
  const [owner, counts] = await Promise.all([readUser(store, video.ownerId), queries.counts(video.id)]);
  const { name, username } = owner.status === 'registered' ? owner : { name: '', username: '' };
  return viewOfState(video, { name, username }, urls, counts);
}
