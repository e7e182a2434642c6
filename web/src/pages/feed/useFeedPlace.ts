import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import type { Video } from '../../api/types.ts';

export interface FeedPlace {
  /** For the element that scrolls. */
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Of the video in view; behind the last one at the end of the feed. */
  readonly index: number;
  /** The reader has stopped at it: it is not only passing by. */
  readonly isSettled: boolean;
  go(index: number): void;
  /** Once there is a newer video at the top, it is in view. Otherwise what is in view stays there. */
  awaitNewest(): void;
}

/** Milliseconds after which a video that is in view is being watched. */
const SETTLES = 400;

/** Where the reader left the feed to look at something else. */
let leftAt: string | undefined;

/** Which video is in view. It comes back to the one where the reader left the feed. */
export function useFeedPlace(videos: readonly Video[]): FeedPlace {
  const scroller = useRef<HTMLDivElement>(null);
  const [index, setIndex] = useState(() =>
    Math.max(
      0,
      videos.findIndex(({ id }) => id === leftAt),
    ),
  );
  const [settled, setSettled] = useState<number>();
  const first = useRef(index);

  useLayoutEffect(() => {
    const feed = scroller.current!;
    feed.scrollTop = first.current * feed.clientHeight;
  }, []);

  const newest = videos[0]?.id;
  const awaitsNewest = useRef(false);
  useLayoutEffect(() => {
    if (!awaitsNewest.current) return;
    awaitsNewest.current = false;
    scroller.current!.scrollTop = 0;
  }, [newest]);

  useEffect(() => {
    const feed = scroller.current!;
    let frame = 0;
    const look = (): void => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setIndex(Math.round(feed.scrollTop / Math.max(1, feed.clientHeight))));
    };
    feed.addEventListener('scroll', look, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      feed.removeEventListener('scroll', look);
    };
  }, []);

  const current = videos[index]?.id;
  useEffect(() => {
    leftAt = current;
    const timer = setTimeout(() => setSettled(index), SETTLES);
    return () => clearTimeout(timer);
  }, [index, current]);

  const go = (to: number): void => {
    const feed = scroller.current!;
    feed.scrollTo({ top: Math.max(0, to) * feed.clientHeight, behavior: 'smooth' });
  };

  return { scroller, index, isSettled: settled === index, go, awaitNewest: () => void (awaitsNewest.current = true) };
}
