import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { ApiError } from '../../api/apiError.ts';
import type { Video } from '../../api/types.ts';
import { Caption } from '../../player/Caption.tsx';
import { Rail } from '../../player/Rail.tsx';
import { Stage } from '../../player/Stage.tsx';
import { useShortcuts } from '../../player/useShortcuts.ts';
import { useLike } from '../../videos/useLike.ts';
import { useLiveVideo } from '../../videos/useLiveVideo.ts';
import { useSteadyFiles } from '../../videos/useSteadyFiles.ts';
import { dropVideo, videoQuery } from '../../videos/videoQueries.ts';
import styles from './Feed.module.css';

interface FeedItemProps {
  readonly video: Video;
  /** Its place in the feed, from 0, and how many there are. */
  readonly at: number;
  readonly of: number;
  /** From the one in view: 0 is in view, 1 is the next. */
  readonly distance: number;
  /** It is being watched. */
  readonly isSettled: boolean;
}

/** Farther away, an item is only empty room, so a long feed stays light. */
const DRAWN = 2;

export function FeedItem({ video, at, of, distance, isSettled }: FeedItemProps) {
  return (
    <article
      className={styles.item}
      aria-label={`${video.title}, by ${video.user.name}`}
      aria-posinset={at + 1}
      aria-setsize={Math.max(of, at + 1)}
      inert={distance !== 0}
      data-video={video.id}
    >
      {Math.abs(distance) <= DRAWN && (
        <DrawnItem video={video} distance={distance} isFirst={at === 0} isSettled={isSettled} />
      )}
    </article>
  );
}

type DrawnItemProps = Pick<FeedItemProps, 'video' | 'distance' | 'isSettled'> & { readonly isFirst: boolean };

function DrawnItem({ video: listed, distance, isFirst, isSettled }: DrawnItemProps) {
  const isActive = distance === 0;
  // Asking for it counts a view.
  const { data: watched, error } = useQuery({ ...videoQuery(listed.id), enabled: isSettled });
  const { video, renew } = useSteadyFiles(watched?.video ?? listed);
  // It left the feed while nobody listened.
  const isGone = error instanceof ApiError && error.status === 404;
  useEffect(() => {
    if (isGone) dropVideo(listed.id);
  }, [isGone, listed.id]);
  const isLiked = watched?.isLiked ?? false;
  const like = useLike(video.id);
  useLiveVideo(isSettled ? video.id : undefined);
  useShortcuts({ l: () => like(!isLiked) }, isActive);

  return (
    <Stage
      video={video}
      isActive={isActive}
      hasPlayer={Math.abs(distance) <= 1}
      isPreloaded={distance === 1}
      isFirst={isFirst}
      onLike={() => isLiked || like(true)}
      onRenew={renew}
      caption={<Caption video={video} />}
      rail={<Rail video={video} isLiked={isLiked} onLike={like} />}
    />
  );
}
