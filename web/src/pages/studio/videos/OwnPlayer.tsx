import type { OwnVideo } from './ownVideos.ts';
import styles from './OwnPlayer.module.css';
import { ProcessingState } from './ProcessingState.tsx';
import { Thumbnail } from './Thumbnail.tsx';
import { Retry } from './VideoRow.tsx';

/** The video itself, or how far it is. */
export function OwnPlayer({ video }: { readonly video: OwnVideo }) {
  const { url, thumbnailUrl, title, status, width, height } = video;
  if (status === 'ready' && url !== null)
    return (
      <div className={styles.player}>
        <video
          controls
          playsInline
          preload="metadata"
          src={url}
          poster={thumbnailUrl ?? undefined}
          aria-label={title}
          style={{ aspectRatio: `${width} / ${height}` }}
        />
      </div>
    );
  return (
    <div className={styles.waiting}>
      <Thumbnail video={video} />
      <ProcessingState video={video} />
      {status === 'failed' && (
        <div>
          <Retry video={video} />
        </div>
      )}
    </div>
  );
}
