import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type CSSProperties, type RefObject } from 'react';
import { formatTime } from '../videos/format.ts';
import styles from './Scrubber.module.css';
import { storyboardQuery, tileAt } from './storyboard.ts';

interface ScrubberProps {
  readonly element: RefObject<HTMLVideoElement | null>;
  /** Seconds. */
  readonly duration: number;
  readonly isPlaying: boolean;
  readonly storyboardUrl: string | null;
  onSeek(seconds: number): void;
}

/** Shows how far a video is, and goes to another moment. A picture shows the moment under the pointer. */
export function Scrubber({ element, duration, isPlaying, storyboardUrl, onSeek }: ScrubberProps) {
  const slider = useRef<HTMLInputElement>(null);
  const [looksAt, setLooksAt] = useState<number>();

  // The position changes with each frame: it is written to the slider without drawing the page again.
  useEffect(() => {
    let frame = 0;
    const show = (): void => {
      const seconds = element.current?.currentTime ?? 0;
      if (slider.current !== null) write(slider.current, seconds, duration);
      if (isPlaying) frame = requestAnimationFrame(show);
    };
    show();
    const player = element.current;
    player?.addEventListener('seeked', show);
    return () => {
      cancelAnimationFrame(frame);
      player?.removeEventListener('seeked', show);
    };
  }, [element, duration, isPlaying]);

  return (
    <div className={styles.scrubber}>
      {looksAt !== undefined && <Preview at={looksAt} duration={duration} storyboardUrl={storyboardUrl} />}
      <input
        ref={slider}
        className={styles.slider}
        type="range"
        aria-label="Seek"
        min={0}
        max={duration}
        step={0.1}
        defaultValue={0}
        onChange={({ currentTarget }) => {
          const seconds = Number(currentTarget.value);
          onSeek(seconds);
          write(currentTarget, seconds, duration);
        }}
        onPointerMove={({ currentTarget, clientX }) => {
          const { left, width } = currentTarget.getBoundingClientRect();
          setLooksAt(Math.min(Math.max(0, (clientX - left) / width), 1) * duration);
        }}
        onPointerLeave={() => setLooksAt(undefined)}
        onPointerUp={({ pointerType }) => pointerType === 'touch' && setLooksAt(undefined)}
        onPointerCancel={() => setLooksAt(undefined)}
      />
    </div>
  );
}

function write(slider: HTMLInputElement, seconds: number, duration: number): void {
  slider.value = String(seconds);
  slider.style.setProperty('--part', String(duration > 0 ? seconds / duration : 0));
  const text = `${formatTime(seconds)} of ${formatTime(duration)}`;
  if (slider.getAttribute('aria-valuetext') !== text) slider.setAttribute('aria-valuetext', text);
}

interface PreviewProps {
  /** Seconds. */
  readonly at: number;
  readonly duration: number;
  readonly storyboardUrl: string | null;
}

/** Pixels: the longer side of the picture. */
const PREVIEW = 160;

function Preview({ at, duration, storyboardUrl }: PreviewProps) {
  const tiles = useQuery({ ...storyboardQuery(storyboardUrl ?? ''), enabled: storyboardUrl !== null });
  const tile = tiles.data && tileAt(tiles.data, at);
  return (
    <div className={styles.preview} style={{ '--part': at / duration } as CSSProperties} aria-hidden>
      {tile !== undefined && (
        <span
          className={styles.tile}
          style={{
            width: tile.width,
            height: tile.height,
            backgroundImage: `url("${tile.url}")`,
            backgroundPosition: `-${tile.x}px -${tile.y}px`,
            zoom: PREVIEW / Math.max(tile.width, tile.height),
          }}
        />
      )}
      <span className={styles.time}>{formatTime(at)}</span>
    </div>
  );
}
