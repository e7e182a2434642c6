import { useEffect, useRef, useState, type RefObject } from 'react';
import type { Video } from '../api/types.ts';
import { isSigned } from './mediaUrl.ts';
import { refuseSound, useMuted } from './sound.ts';
import { attachSource, noteStart } from './source.ts';
import { useCalm } from './useMedia.ts';

export interface Playback {
  readonly element: RefObject<HTMLVideoElement | null>;
  /** What the reader sees: it may still be loading. */
  readonly isPlaying: boolean;
  /** It has a picture of its own, so the poster may go. */
  readonly hasPicture: boolean;
  readonly isWaiting: boolean;
  readonly hasFailed: boolean;
  toggle(): void;
  /** Goes to a moment: seconds, or the nearest that the video has. */
  seek(seconds: number): void;
  retry(): void;
  /** For the video element. */
  readonly handlers: {
    readonly onPlaying: () => void;
    readonly onLoadedData: () => void;
    readonly onWaiting: () => void;
    readonly onEmptied: () => void;
    readonly onError: () => void;
  };
}

/**
 * Plays a video while it is the one in view, from its start, unless the reader stopped it or wants nothing to move. When its signed
 * address has ended, it goes on with a new one.
 * @param renew asks for new addresses, and returns whether they differ.
 */
export function usePlayback(video: Video, isActive: boolean, renew: () => Promise<boolean>): Playback {
  const element = useRef<HTMLVideoElement>(null);
  const isCalm = useCalm();
  const muted = useMuted();
  const isShown = useIsShown();
  const [wish, setWish] = useState<'play' | 'pause'>();
  const [picture, setPicture] = useState<'none' | 'waiting' | 'there' | 'failed'>('none');
  const [attempt, setAttempt] = useState(0);
  const hasRenewed = useRef(false);
  /** Seconds: where it stopped when its address had ended. */
  const resumesAt = useRef(0);
  const [wasActive, setWasActive] = useState(isActive);
  if (wasActive !== isActive) {
    setWasActive(isActive);
    setWish(undefined);
  }
  const isPlaying = isActive && (wish ?? (isCalm ? 'pause' : 'play')) === 'play';

  const { url, hlsUrl } = video;
  useEffect(() => attachSource(element.current!, { url, hlsUrl }), [url, hlsUrl, attempt]);

  useEffect(() => {
    if (element.current !== null) element.current.muted = muted;
  }, [muted]);

  useEffect(() => {
    if (isActive) return;
    resumesAt.current = 0;
    if (element.current !== null && element.current.readyState > 0) element.current.currentTime = 0;
  }, [isActive]);

  useEffect(() => {
    const player = element.current!;
    if (!isPlaying || !isShown) return player.pause();
    player.play().catch((error: DOMException) => {
      // Others mean that it was paused, or cannot be played, which its own event says.
      if (error.name !== 'NotAllowedError') return;
      if (player.muted) setWish('pause');
      else refuseSound();
    });
  }, [isPlaying, isShown, attempt, muted, url, hlsUrl]);

  const seek = (seconds: number): void => {
    const player = element.current!;
    player.currentTime = Math.min(Math.max(0, seconds), player.duration || 0);
  };

  const fail = (): void => setPicture('failed');

  const onError = (): void => {
    if (hasRenewed.current || url === null || !isSigned(url)) return fail();
    hasRenewed.current = true;
    resumesAt.current = element.current!.currentTime;
    setPicture((now) => (now === 'there' ? 'waiting' : now));
    renew().then((differ) => differ || fail(), fail);
  };

  const retry = (): void => {
    setPicture('none');
    renew().then((differ) => differ || setAttempt((n) => n + 1), fail);
  };

  return {
    element,
    isPlaying,
    hasPicture: picture === 'there' || picture === 'waiting',
    isWaiting: isPlaying && picture !== 'there' && picture !== 'failed',
    hasFailed: picture === 'failed',
    toggle: () => setWish(isPlaying ? 'pause' : 'play'),
    seek,
    retry,
    handlers: {
      onPlaying: () => {
        setPicture('there');
        hasRenewed.current = false;
        noteStart(video.id);
      },
      onLoadedData: () => {
        setPicture('there');
        if (resumesAt.current > 0) seek(resumesAt.current);
        resumesAt.current = 0;
      },
      onWaiting: () => setPicture((now) => (now === 'there' ? 'waiting' : now)),
      onEmptied: () => setPicture('none'),
      onError,
    },
  };
}

/** Whether the tab is in front. */
function useIsShown(): boolean {
  const [isShown, setShown] = useState(() => !document.hidden);
  useEffect(() => {
    const onChange = () => setShown(!document.hidden);
    document.addEventListener('visibilitychange', onChange);
    return () => document.removeEventListener('visibilitychange', onChange);
  }, []);
  return isShown;
}
