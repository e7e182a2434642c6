import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { ProjectionProgress } from '../../core/projectionProgress.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { videoDecider, videoStream, type VideoState } from './decider.ts';
import type { VideoEvent } from './events.ts';

/** A video as its stream tells it. */
export interface VideoNow {
  readonly state: VideoState;
  /** Of the stream's last event; -1 and 0n when there is none. */
  readonly revision: number;
  readonly position: bigint;
}

export async function readVideo(store: Pick<EventStore, 'readStream'>, videoId: string): Promise<VideoNow> {
  let now: VideoNow = { state: videoDecider.initialState, revision: -1, position: 0n };
  for await (const recorded of store.readStream(videoStream(videoId))) {
    const { revision, position } = recorded;
    now = { state: videoDecider.evolve(now.state, recorded as RecordedEvent<VideoEvent>), revision, position };
  }
  return now;
}

/** How often the stream is looked at: as soon as any video may have changed, but no more and no less often than this (ms). */
const LOOK_AGAIN_AFTER = 50;
const LOOK_AGAIN_WITHIN = 500;

/** Waits until a video is no longer being processed, `withinMs` at most or until the signal aborts; then says how it stands. */
export async function untilProcessed(
  {
    store,
    readModels,
  }: { readonly store: Pick<EventStore, 'readStream'>; readonly readModels: Pick<ProjectionProgress, 'onCommit'> },
  videoId: string,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<VideoNow> {
  const deadline = performance.now() + withinMs;
  let news = Promise.withResolvers<void>();
  const stopListening = readModels.onCommit(({ projection }) => {
    if (projection === videos.name) news.resolve();
  });
  try {
    for (;;) {
      news = Promise.withResolvers();
      const now = await readVideo(store, videoId);
      const left = deadline - performance.now();
      if (now.state.status !== 'processing' || left <= 0 || signal.aborted) return now;
      await sleep(Math.min(left, LOOK_AGAIN_AFTER), signal);
      await sleep(Math.min(left, LOOK_AGAIN_WITHIN), signal, news.promise);
    }
  } finally {
    stopListening();
  }
}

async function sleep(ms: number, signal: AbortSignal, news?: Promise<void>): Promise<void> {
  const awake = new AbortController();
  const asleep = delay(ms, undefined, { signal: AbortSignal.any([signal, awake.signal]) }).catch(() => undefined);
  await Promise.race([asleep, ...(news === undefined ? [] : [news])]);
  awake.abort();
}
