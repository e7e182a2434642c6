import { defineQueue } from '../../../jobs/queue.ts';

/** What a job needs to know; the rest is in the video's stream. */
export interface VideoJob {
  readonly videoId: string;
  readonly correlationId: string;
  /** The event that led to the job. */
  readonly causationId: string;
  readonly traceparent?: string;
}

/** No event led to it when an operator asked for it. */
export type ExtrasJob = Omit<VideoJob, 'causationId'> & Partial<Pick<VideoJob, 'causationId'>>;

const logFields = ({ videoId }: Pick<VideoJob, 'videoId'>): object => ({ videoId });

/** Makes an upload playable. */
export const processQueue = defineQueue<VideoJob>({ name: 'process', fair: true, givesUp: true, logFields });

/**
 * Makes the ladder, the storyboard and the preview of a video that can be played already. A queue apart from `process`: new uploads
 * do not wait for it.
 */
export const extrasQueue = defineQueue<ExtrasJob>({ name: 'extras', fair: true, givesUp: true, logFields });

/**
 * Moves the files of a video between the prefixes of the object store. It is tried for ten days, since files of a private video must
 * not stay where everyone may read them.
 */
export const moveQueue = defineQueue<VideoJob>({ name: 'move', retries: { limit: 5_000 }, logFields });

/**
 * Looks again at a video whose files have become public: removes the private copies, when the signed URLs of them have ended. They
 * end an hour after the last one was given out; the second hour is for processes that know of the move late.
 */
export const movedQueue = defineQueue<VideoJob>({
  name: 'moved',
  delaySeconds: 2 * 60 * 60,
  retries: { limit: 5_000 },
  logFields,
});

/**
 * Removes the objects of a deleted video. They are removed again a minute later: a worker that was killed while it stored
 * a rendition could not remove it, and by then no worker processes the video any more.
 */
export const removeQueue = defineQueue<VideoJob>({ name: 'remove', repeatAfterSeconds: 60, logFields });
