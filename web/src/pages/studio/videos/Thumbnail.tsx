import { CircleAlert, Film } from 'lucide-react';
import { useState } from 'react';
import { formatDuration } from '../../../format.ts';
import { mediaUrl } from '../../../player/mediaUrl.ts';
import type { OwnVideo } from './ownVideos.ts';
import styles from './Thumbnail.module.css';

/** The picture of a video with its length, whatever its shape. */
export function Thumbnail({ video }: { readonly video: Pick<OwnVideo, 'thumbnailUrl' | 'duration' | 'status'> }) {
  const { thumbnailUrl, duration, status } = video;
  const [missing, setMissing] = useState<string>();
  const hasPicture = thumbnailUrl !== null && thumbnailUrl !== missing;
  const Icon = status === 'failed' ? CircleAlert : Film;
  return (
    <span className={styles.thumbnail} data-status={status}>
      {hasPicture ? (
        <img src={mediaUrl(thumbnailUrl)} alt="" loading="lazy" onError={() => setMissing(thumbnailUrl)} />
      ) : (
        <Icon aria-hidden size={28} strokeWidth={1.5} />
      )}
      {status === 'ready' && <span className={styles.duration}>{formatDuration(duration)}</span>}
    </span>
  );
}
