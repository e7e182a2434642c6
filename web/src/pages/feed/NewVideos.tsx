import { useState } from 'react';
import { ArrowUp } from 'lucide-react';
import type { Video } from '../../api/types.ts';
import type { LiveEvent } from '../../live/connection.ts';
import { useLiveEvents } from '../../live/useLiveEvents.ts';
import { leftFeed } from '../../videos/leftFeed.ts';
import { dropVideo, heardOfFeed, loadFeedPage, readFeedAgain } from '../../videos/videoQueries.ts';
import styles from './Feed.module.css';

interface NewVideosProps {
  readonly known: readonly Video[];
  /** Called before they come into the feed. */
  onShow(): void;
}

/** Says quietly that there are new videos. Nothing moves until the reader asks for them. */
export function NewVideos({ known, onShow }: NewVideosProps) {
  const [fresh, setFresh] = useState<readonly string[]>([]);
  const [isLoading, setLoading] = useState(false);
  const unknown = fresh.filter((id) => !known.some((video) => video.id === id));

  const look = (): void => {
    loadFeedPage('').then(
      ({ data }) => setFresh((before) => [...new Set([...before, ...newerThan(known[0], data)])]),
      () => undefined,
    );
  };
  const onEvent = (event: LiveEvent): void => {
    heardOfFeed(event.position);
    const left = leftFeed(event);
    if (left !== undefined) {
      setFresh((before) => before.filter((id) => id !== left));
      dropVideo(left);
    } else if (event.type === 'VideoProcessed') {
      setFresh((before) => [...new Set([...before, String(event.data?.['videoId'])])]);
    } else if (event.type === 'VideoVisibilityChanged' || event.type === 'VideoRestored') look();
  };
  // What became public while nobody listened: before the page was opened, and while its reader was elsewhere.
  useLiveEvents(['feed'], onEvent, (position) => {
    heardOfFeed(position);
    look();
  });

  const show = async (): Promise<void> => {
    setLoading(true);
    onShow();
    await readFeedAgain();
    setLoading(false);
    setFresh([]);
  };

  return (
    <div role="status" className={styles.news}>
      {unknown.length > 0 && (
        <button type="button" className={styles.pill} aria-busy={isLoading} onClick={() => void show()}>
          <ArrowUp aria-hidden size={18} />
          {unknown.length === 1 ? '1 new video' : `${unknown.length} new videos`}
        </button>
      )}
    </div>
  );
}

/** Ids are ordered by time. */
function newerThan(newest: Video | undefined, videos: readonly Video[]): readonly string[] {
  return videos.map(({ id }) => id).filter((id) => newest === undefined || id > newest.id);
}
