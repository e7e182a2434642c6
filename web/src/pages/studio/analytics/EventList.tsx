import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { formatCount, formatMoment } from '../../../format.ts';
import { ownVideosQuery } from '../videos/ownVideos.ts';
import styles from './EventList.module.css';

interface CountedEvent {
  readonly position: string;
  readonly time: string;
  readonly type: string;
  readonly videoId: string;
  /** How much it changed the number. */
  readonly by: number;
}

const words: Readonly<Record<string, string>> = {
  VideoViewed: 'Viewed',
  VideoLiked: 'Liked',
  VideoUnliked: 'Like taken back',
  VideoProcessed: 'Ready to play',
};

/** Events behind a number, each with the way to its video. */
export function EventList({ events }: { readonly events: readonly CountedEvent[] }) {
  const { data } = useInfiniteQuery(ownVideosQuery());
  const titles = new Map(data?.pages.flatMap((page) => page.videos).map(({ id, title }) => [id, title]));
  return (
    <ol className={styles.events}>
      {events.map(({ position, time, type, videoId, by }) => (
        <li key={position}>
          <span className={styles.by} data-by={Math.sign(by)}>
            {by > 0 ? `+${by}` : `−${-by}`}
          </span>
          <span className={styles.what}>
            <span>
              {words[type] ?? type}:{' '}
              <Link to="/studio/videos/$videoId" params={{ videoId }}>
                {titles.get(videoId) ?? 'a video that was deleted'}
              </Link>
            </span>
            <span className={styles.when}>
              <time dateTime={time}>{formatMoment(time)}</time> · position {formatCount(Number(position))}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}
