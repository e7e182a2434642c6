import { useEffect, useRef } from 'react';
import { ApiError } from '../api/apiError.ts';
import { queryClient } from '../api/queryClient.ts';
import type { LiveEvent } from '../live/connection.ts';
import { useLiveEvents } from '../live/useLiveEvents.ts';
import { leftFeed } from './leftFeed.ts';
import { isLiking, lastLike } from './useLike.ts';
import { changeVideo, dropVideo, readVideo, videoQuery } from './videoQueries.ts';

/** Milliseconds between two readings of one video, however much happens to it, and before one that failed is tried again. */
const PAUSE = 1_500;
const RETRY = 4_000;

interface LiveVideoOptions {
  /** The owner also hears what happens while nobody else may see it. */
  readonly isOwn?: boolean;
}

/**
 * Keeps what the page shows of a video as the server has it: its counts, its title, where its files are, and its neighbours. A
 * video that the reader may no longer see disappears.
 */
export function useLiveVideo(videoId: string | undefined, { isOwn = false }: LiveVideoOptions = {}): void {
  const reader = useRef<Reader>(undefined);
  useEffect(() => {
    if (videoId === undefined) return;
    const current = (reader.current = createReader(videoId));
    return () => current.end();
  }, [videoId]);
  const readSince = (position: string): void => reader.current?.readSince(position);

  const topics = videoId === undefined ? [] : ['feed', `video:${videoId}`, ...(isOwn ? ['me'] : [])];
  const onEvent = (event: LiveEvent): void => {
    if (videoId === undefined) return;
    const { type, data, position } = event;
    if (data?.['videoId'] !== videoId) {
      const left = leftFeed(event);
      if (left !== undefined && isNeighbour(videoId, left)) readSince(position);
    } else if (type === 'VideoDeleted') forgetVideo(videoId);
    else readSince(position);
  };
  useLiveEvents(topics, onEvent, readSince);
}

interface Reader {
  /** Something happened at this position. */
  readSince(position: string): void;
  end(): void;
}

/** Reads a video again after something happened: at once, and not again before the pause is over. */
function createReader(videoId: string): Reader {
  let wanted: string | undefined;
  let isReading = false;
  let hasEnded = false;
  const read = async (): Promise<void> => {
    while (wanted !== undefined && !hasEnded) {
      const position = wanted;
      wanted = undefined;
      const againAfter = await readAgain(videoId, position);
      if (againAfter !== undefined) wanted ??= position;
      await new Promise((resolve) => setTimeout(resolve, againAfter ?? PAUSE));
    }
    isReading = false;
  };
  return {
    readSince: (position) => {
      wanted = position;
      if (isReading) return;
      isReading = true;
      void read();
    },
    end: () => void (hasEnded = true),
  };
}

/**
 * Its own requests do not count a view, and wait until the server shows what has happened.
 * @returns the milliseconds after which it must be tried again; undefined when it need not be.
 */
async function readAgain(videoId: string, position: string): Promise<number | undefined> {
  const { queryKey } = videoQuery(videoId);
  // A reading may be under way, and come with what was before.
  await queryClient
    .getQueryCache()
    .find({ queryKey })
    ?.promise?.catch(() => undefined);
  try {
    // It may have failed while the server was away.
    await queryClient.ensureQueryData(videoQuery(videoId));
    if (isLiking(videoId)) return PAUSE;
    const liked = lastLike(videoId);
    const latest = await readVideo(videoId, { counted: false, minPosition: position });
    // The answer may be from before a like that was sent meanwhile.
    if (isLiking(videoId) || lastLike(videoId) !== liked) return PAUSE;
    changeVideo(videoId, () => latest);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) forgetVideo(videoId);
    return error instanceof ApiError && error.isPassing ? RETRY : undefined;
  }
}

function isNeighbour(videoId: string, other: string): boolean {
  const { prev, next } = queryClient.getQueryData(videoQuery(videoId).queryKey) ?? {};
  return prev?.id === other || next?.id === other;
}

function forgetVideo(videoId: string): void {
  dropVideo(videoId);
  void queryClient.invalidateQueries({ queryKey: videoQuery(videoId).queryKey });
}
