import { useEffect, useRef } from 'react';
import { ApiError } from '../api/apiError.ts';
import { queryClient } from '../api/queryClient.ts';
import type { LiveEvent } from '../live/connection.ts';
import { useLiveEvents } from '../live/useLiveEvents.ts';
import { leftFeed } from './leftFeed.ts';
import { likeKey } from './useLike.ts';
import { changeVideo, dropVideo, readVideo, videoQuery } from './videoQueries.ts';

/** Milliseconds between two readings of one video, however much happens to it. */
const PAUSE = 1_500;

interface LiveVideoOptions {
  /** The owner also hears what happens while nobody else may see it. */
  readonly isOwn?: boolean;
}

/**
 * Keeps what the page shows of a video as the server has it: its counts, its title, where its files are, and its neighbours. A
 * video that the reader may no longer see disappears.
 */
export function useLiveVideo(videoId: string | undefined, { isOwn = false }: LiveVideoOptions = {}): void {
  const reading = useRef<{ timer?: ReturnType<typeof setTimeout> | undefined; position?: string | undefined }>({});
  useEffect(() => {
    const now = reading.current;
    return () => {
      clearTimeout(now.timer);
      now.timer = undefined;
      now.position = undefined;
    };
  }, [videoId]);

  const readSoon = (id: string, position: string): void => {
    const now = reading.current;
    now.position = position;
    if (now.timer !== undefined) return;
    const read = (): void => {
      const until = now.position;
      now.position = undefined;
      now.timer = setTimeout(() => {
        now.timer = undefined;
        if (now.position !== undefined) readSoon(id, now.position);
      }, PAUSE);
      if (until !== undefined) void readAgain(id, until);
    };
    read();
  };

  const topics = videoId === undefined ? [] : ['feed', `video:${videoId}`, ...(isOwn ? ['me'] : [])];
  useLiveEvents(topics, (event: LiveEvent) => {
    if (videoId === undefined) return;
    const { type, data, position } = event;
    if (data?.['videoId'] !== videoId) {
      const left = leftFeed(event);
      if (left !== undefined && isNeighbour(videoId, left)) readSoon(videoId, position);
    } else if (type === 'VideoDeleted') forgetVideo(videoId);
    else readSoon(videoId, position);
  });
}

/** Its own requests do not count a view, and wait until the server shows what has happened. */
async function readAgain(videoId: string, position: string): Promise<void> {
  if (queryClient.getQueryData(videoQuery(videoId).queryKey) === undefined) return;
  const latest = await readVideo(videoId, { counted: false, minPosition: position }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) forgetVideo(videoId);
  });
  // The answer to the like that is on its way brings its own count.
  if (!latest || queryClient.isMutating({ mutationKey: likeKey(videoId) }) > 0) return;
  changeVideo(videoId, () => latest);
}

function isNeighbour(videoId: string, other: string): boolean {
  const { prev, next } = queryClient.getQueryData(videoQuery(videoId).queryKey) ?? {};
  return prev?.id === other || next?.id === other;
}

function forgetVideo(videoId: string): void {
  dropVideo(videoId);
  void queryClient.invalidateQueries({ queryKey: videoQuery(videoId).queryKey });
}
