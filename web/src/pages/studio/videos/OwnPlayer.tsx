import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { mediaUrl, withoutSignature } from '../../../player/mediaUrl.ts';
import { ownVideoQuery, type OwnVideo } from './ownVideos.ts';
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

/** The signed address of a private file changes every few minutes. The earlier one plays for an hour; then there is a new one. */
function Movie({ video: { id, title, thumbnailUrl, width, height }, url }: MovieProps) {
  const client = useQueryClient();
  const player = useRef<HTMLVideoElement>(null);
  const resumesAt = useRef(0);
  const [src, setSrc] = useState(url);
  if (withoutSignature(src) !== withoutSignature(url)) setSrc(url);
  const renew = async (): Promise<void> => {
    resumesAt.current = player.current?.currentTime ?? 0;
    const { video } = await client.fetchQuery({ ...ownVideoQuery(id), staleTime: 0 });
    if (video.url !== null) setSrc(mediaUrl(video.url));
  };
  const onLoadedData = (): void => {
    if (resumesAt.current > 0) player.current!.currentTime = resumesAt.current;
    resumesAt.current = 0;
  };
  return (
    <div className={styles.player}>
      <video
        ref={player}
        controls
        playsInline
        preload="metadata"
        src={src}
        poster={thumbnailUrl === null ? undefined : mediaUrl(thumbnailUrl)}
        aria-label={title}
        style={{ aspectRatio: `${width} / ${height}` }}
        onError={() => void renew().catch(() => undefined)}
        onLoadedData={onLoadedData}
      />
    </div>
  );
}
