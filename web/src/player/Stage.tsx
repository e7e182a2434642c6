import { CircleAlert, Heart, Play, RotateCcw } from 'lucide-react';
import { useState, type CSSProperties, type ReactNode } from 'react';
import type { Video } from '../api/types.ts';
import { mediaUrl } from './mediaUrl.ts';
import { Scrubber } from './Scrubber.tsx';
import { setMuted, isMuted } from './sound.ts';
import styles from './Stage.module.css';
import { usePlayback } from './usePlayback.ts';
import { useShortcuts } from './useShortcuts.ts';
import { useTaps } from './useTaps.ts';

interface StageProps {
  readonly video: Video;
  /** It is the one in view: it plays, and keys act on it. */
  readonly isActive: boolean;
  /** Whether there is a player for it, not only a picture. */
  readonly hasPlayer: boolean;
  /** Loads before it is in view. */
  readonly isPreloaded?: boolean;
  /** Its picture is the first that the reader sees. */
  readonly isFirst?: boolean;
  readonly onLike: () => void;
  /** Asks for new addresses of its files, and returns whether they differ. */
  readonly onRenew: () => Promise<boolean>;
  /** Lies over the lower part of the picture. */
  readonly caption?: ReactNode;
  /** Buttons beside it. */
  readonly rail: ReactNode;
}

/** One video: as large as there is room, with its buttons. A tap plays or pauses, a double tap likes. */
export function Stage({ video, hasPlayer, rail, ...rest }: StageProps) {
  const ratio = (video.width ?? 9) / (video.height ?? 16);
  return (
    <div className={styles.stage}>
      {video.thumbnailUrl !== null && (
        <img className={styles.glow} src={mediaUrl(video.thumbnailUrl)} alt="" aria-hidden decoding="async" />
      )}
      <div className={styles.group}>
        <div
          className={styles.frame}
          style={{ '--ratio': ratio } as CSSProperties}
          data-shape={ratio < 0.7 ? 'tall' : 'wide'}
        >
          {hasPlayer ? <Player video={video} {...rest} /> : <Poster video={video} isFirst={false} />}
        </div>
        <div className={styles.rail}>{rail}</div>
      </div>
    </div>
  );
}

/** Seconds that an arrow key goes. */
const STEP = 5;

function Player({
  video,
  isActive,
  isPreloaded = false,
  isFirst = false,
  onLike,
  onRenew,
  caption,
}: Omit<StageProps, 'hasPlayer' | 'rail'>) {
  const playback = usePlayback(video, isActive, onRenew);
  const { element, isPlaying, hasPicture, isWaiting, hasFailed, toggle, seek, handlers } = playback;
  const [heart, setHeart] = useState<{ readonly x: number; readonly y: number; readonly id: number }>();
  const taps = useTaps(toggle, (x, y) => {
    setHeart((last) => ({ x, y, id: (last?.id ?? 0) + 1 }));
    onLike();
  });
  useShortcuts(
    {
      ' ': toggle,
      m: () => setMuted(!isMuted()),
      ArrowLeft: () => seek((element.current?.currentTime ?? 0) - STEP),
      ArrowRight: () => seek((element.current?.currentTime ?? 0) + STEP),
    },
    isActive,
  );

  return (
    <>
      <Poster video={video} isFirst={isFirst} />
      <video
        ref={element}
        className={styles.video}
        data-shown={hasPicture || undefined}
        playsInline
        loop
        muted
        preload={isActive || isPreloaded ? 'auto' : 'metadata'}
        tabIndex={-1}
        aria-hidden
        disablePictureInPicture
        {...handlers}
      />
      <button type="button" className={styles.surface} aria-label={isPlaying ? 'Pause' : 'Play'} onClick={taps} />
      {!isPlaying && !hasFailed && isActive && (
        <span className={styles.sign} aria-hidden>
          <Play size={40} fill="currentColor" />
        </span>
      )}
      {isWaiting && <span className={styles.waiting} aria-hidden />}
      {hasFailed && (
        <div className={styles.failed} role="alert">
          <CircleAlert aria-hidden size={32} />
          <p>This video cannot be played right now.</p>
          <button type="button" onClick={playback.retry}>
            <RotateCcw aria-hidden size={18} /> Try again
          </button>
        </div>
      )}
      {heart !== undefined && (
        <span key={heart.id} className={styles.heart} style={{ left: heart.x, top: heart.y }} aria-hidden>
          <Heart size={96} fill="currentColor" strokeWidth={0} />
        </span>
      )}
      <div className={styles.overlay}>
        {caption}
        <Scrubber
          element={element}
          duration={video.duration ?? 0}
          isPlaying={isPlaying}
          onSeek={seek}
          storyboardUrl={video.storyboardUrl ?? null}
        />
      </div>
    </>
  );
}

function Poster({ video, isFirst }: { readonly video: Video; readonly isFirst: boolean }) {
  if (video.thumbnailUrl === null) return null;
  return (
    <img
      className={styles.poster}
      src={mediaUrl(video.thumbnailUrl)}
      alt=""
      width={video.width ?? undefined}
      height={video.height ?? undefined}
      fetchPriority={isFirst ? 'high' : 'auto'}
      decoding={isFirst ? 'sync' : 'async'}
      draggable={false}
    />
  );
}
