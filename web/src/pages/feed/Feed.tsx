import { useEffect, useRef } from 'react';
import type { Video } from '../../api/types.ts';
import { useShortcuts } from '../../player/useShortcuts.ts';
import styles from './Feed.module.css';
import { FeedEnd } from './FeedEnd.tsx';
import { FeedItem } from './FeedItem.tsx';
import { FeedSteps } from './FeedSteps.tsx';
import { NewVideos } from './NewVideos.tsx';
import { useFeedPlace } from './useFeedPlace.ts';

export interface MoreVideos {
  readonly isThere: boolean;
  readonly error: Error | undefined;
  load(): void;
}

interface FeedProps {
  readonly videos: readonly Video[];
  readonly total: number;
  readonly more: MoreVideos;
}

/** How many videos before the end of what is loaded more are asked for. */
const AHEAD = 4;

/** The videos below each other. Scrolling stops at each one, and the one in view plays. */
export function Feed({ videos, total, more }: FeedProps) {
  const { scroller, index, isSettled, go, awaitNewest } = useFeedPlace(videos);

  const isNearEnd = index >= videos.length - AHEAD;
  const { isThere, error, load } = more;
  const wantsMore = isNearEnd && isThere && error === undefined;
  const loadMore = useRef(load);
  useEffect(() => {
    loadMore.current = load;
  });
  useEffect(() => {
    if (wantsMore) loadMore.current();
  }, [wantsMore, videos.length]);

  const back = () => go(index - 1);
  const on = () => go(index + 1);
  useShortcuts({ ArrowUp: back, ArrowDown: on, PageUp: back, PageDown: on, Home: () => go(0), k: back, j: on });

  return (
    <>
      <div ref={scroller} className={styles.feed} role="feed" aria-label="Videos" aria-busy={wantsMore}>
        {videos.map((video, at) => (
          <FeedItem
            key={video.id}
            video={video}
            at={at}
            of={total}
            distance={at - index}
            isSettled={isSettled && at === index}
          />
        ))}
        {/* Another element each time: the browser would keep the old one in view, and the reader would miss the videos before it. */}
        <FeedEnd key={videos.length} more={more} isInView={index >= videos.length} onTop={() => go(0)} />
      </div>
      <FeedSteps hasBack={index > 0} hasOn={index < videos.length} onBack={back} onOn={on} />
      <NewVideos known={videos} onShow={awaitNewest} />
    </>
  );
}
