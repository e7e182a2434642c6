import { useState } from 'react';
import { mediaUrl } from '../../../player/mediaUrl.ts';
import type { OwnVideo } from './ownVideos.ts';
import styles from './OwnPlayer.module.css';
import { ProcessingState } from './ProcessingState.tsx';
import { Thumbnail } from './Thumbnail.tsx';
import { Retry } from './VideoRow.tsx';

/** The video itself, or how far it is. */
export function OwnPlayer({ video }: { readonly video: OwnVideo }) {
  if (video.status === 'ready' && video.url !== null) return <Movie video={video} url={mediaUrl(video.url)} />;
  return (
    <div className={styles.waiting}>
      <Thumbnail video={video} />
      <ProcessingState video={video} />
      {video.status === 'failed' && (
        <div>
          <Retry video={video} />
        </div>
      )}
    </div>
  );
}

interface MovieProps {
  readonly video: OwnVideo;
  readonly url: string;
}

/** The signed address of a private file changes every few minutes. Playing goes on with the earlier one while that works. */
function Movie({ video: { title, thumbnailUrl, width, height }, url }: MovieProps) {
  const [src, setSrc] = useState(url);
  if (fileOf(src) !== fileOf(url)) setSrc(url);
  return (
    <div className={styles.player}>
      <video
        controls
        playsInline
        preload="metadata"
        src={src}
        poster={thumbnailUrl === null ? undefined : mediaUrl(thumbnailUrl)}
        aria-label={title}
        style={{ aspectRatio: `${width} / ${height}` }}
        onError={() => setSrc(url)}
      />
    </div>
  );
}

/** Named by its content. */
function fileOf(url: string): string | undefined {
  return new URL(url, location.href).pathname.split('/').at(-1);
}
