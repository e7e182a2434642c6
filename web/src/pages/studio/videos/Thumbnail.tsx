import { CircleAlert, Film } from 'lucide-react';
import { useState } from 'react';
import { formatDuration } from '../../../format.ts';
import type { OwnVideo } from './ownVideos.ts';
import styles from './Thumbnail.module.css';

/** The picture of a video with its length, whatever its shape. */
export function Thumbnail({ video }: { readonly video: Pick<OwnVideo, 'thumbnailUrl' | 'duration' | 'status'> }) {
  const { thumbnailUrl, duration, status } = video;
  const [missing, setMissing] = useState<string>();
  const Icon = status === 'failed' ? CircleAlert : Film;
  return (
    <span className={styles.thumbnail} data-status={status}>
      {thumbnailUrl !== null && thumbnailUrl !== missing ? (
        <img src={thumbnailUrl} alt="" loading="lazy" onError={() => setMissing(thumbnailUrl)} />
      ) : (
        <Icon aria-hidden size={28} strokeWidth={1.5} />
      )}
      <span className={styles.duration}>{formatDuration(duration)}</span>
    </span>
  );
}
