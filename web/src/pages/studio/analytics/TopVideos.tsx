import { Link } from '@tanstack/react-router';
import { formatCount } from '../../../format.ts';
import styles from './TopVideos.module.css';
import type { TopVideo } from './useNumbers.ts';

interface TopVideosProps {
  readonly videos: readonly TopVideo[];
  readonly chosen: string | undefined;
  /** Only the numbers of this one, or of all. */
  readonly onChoose: (videoId: string | undefined) => void;
}

/** The videos that were watched most in the range. */
export function TopVideos({ videos, chosen, onChoose }: TopVideosProps) {
  const most = Math.max(1, ...videos.map(({ viewCount }) => viewCount));
  return (
    <section className={styles.top} aria-labelledby="top-videos">
      <h2 id="top-videos">Top videos</h2>
      {videos.length === 0 && <p className={styles.none}>No video was watched in these days.</p>}
      <ol>
        {videos.map(({ id, title, viewCount, likeCount }) => (
          <li key={id}>
            <span className={styles.bar} style={{ inlineSize: `${(100 * viewCount) / most}%` }} aria-hidden />
            <Link to="/studio/videos/$videoId" params={{ videoId: id }}>
              {title}
            </Link>
            <span className={styles.counts}>
              {formatCount(viewCount)} views · {formatCount(likeCount)} likes
            </span>
            <button
              type="button"
              aria-pressed={id === chosen}
              aria-label={`Only this one: ${title}`}
              onClick={() => onChoose(id === chosen ? undefined : id)}
            >
              Only this one
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
