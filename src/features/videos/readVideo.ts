import { abortable, pause } from '../../core/abortable.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { ProjectionProgress } from '../../core/projectionProgress.ts';
import { readState, type StreamState } from '../../core/readState.ts';
import { createWakeUp } from '../../core/wakeUp.ts';
import { withTimeout } from '../../core/withTimeout.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { videoDecider, videoStream, type VideoState } from './decider.ts';

/** A video as its stream tells it. */
export type VideoNow = StreamState<VideoState>;

export function readVideo(store: Pick<EventStore, 'readStream'>, videoId: string): Promise<VideoNow> {
  return readState(store, videoDecider, videoStream(videoId));
}

/**
 * Milliseconds between two reads of the stream. It is read again as soon as any video may have changed, but never sooner
 * than the first of them and never later than the second.
 */
const READ_AGAIN_AFTER_MS = 50;
const READ_AGAIN_WITHIN_MS = 500;

/** Waits until a video is no longer being processed, `withinMs` at most or until the signal aborts; answers its last state. */
export async function untilProcessed(
  {
    store,
    readModels,
  }: { readonly store: Pick<EventStore, 'readStream'>; readonly readModels: Pick<ProjectionProgress, 'onCommit'> },
  videoId: string,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<VideoNow> {
  const deadline = performance.now() + withinMs;
  const videosChanged = createWakeUp();
  const stopListening = readModels.onCommit(({ projection }) => {
    if (projection === videos.name) videosChanged.wake();
  });
  try {
    for (;;) {
      // Before the read, so that a change during it counts.
      const change = videosChanged.next();
      const now = await readVideo(store, videoId);
      const left = deadline - performance.now();
      if (now.state.status !== 'processing' || left <= 0 || signal.aborted) return now;
      await pause(Math.min(left, READ_AGAIN_AFTER_MS), signal);
      const changed = abortable(change, signal).catch(() => undefined);
      await withTimeout(changed, Math.min(left, READ_AGAIN_WITHIN_MS), () => undefined);
    }
  } finally {
    stopListening();
  }
}
