import { setTimeout as delay } from 'node:timers/promises';
import { v7 } from 'uuid';
import type { AppendRequest, EventStore } from '../../src/core/eventStore.ts';
import type { Appended } from '../../src/core/appended.ts';

/** Views and likes of videos that are in the log, and the counts that they must lead to. */
export interface Traffic {
  /** Appends that many videos, ready to be watched. */
  upload(videos: number): Promise<void>;
  /**
   * Sends events one by one at a steady rate, independent of the answers, and returns for each how long it took from the time at
   * which it was due until `shown` resolved (ms).
   */
  steady(perSecond: number, seconds: number, shown: (appended: Appended) => Promise<void>): Promise<number[]>;
  /** Appends that many events as fast as the log takes them. */
  flood(events: number): Promise<void>;
  /** Likes and views of each video so far. */
  readonly counts: ReadonlyMap<string, { likes: number; views: number }>;
}

/** One event in so many is a like, as in the behaviour that docs/scale.md assumes. The others are views. */
const VIEWS_PER_LIKE = 20;
const AT_ONCE = 1_000;

export function createTraffic(store: EventStore): Traffic {
  const counts = new Map<string, { likes: number; views: number }>();
  const ownerId = v7();
  let made = 0;

  function event(type: string, stream: string, data: object): AppendRequest {
    const metadata = { correlationId: 'scale', schemaVersion: 1 };
    const at = new Date().toISOString();
    return { stream, events: [{ id: v7(), type, data: { ...data, ownerId, at }, metadata }], expected: 'any' };
  }

  /** Also counts the event. */
  function next(): AppendRequest {
    const videos = [...counts.keys()];
    const videoId = videos[(made * 7) % videos.length]!;
    const count = counts.get(videoId)!;
    const userId = v7();
    if (made++ % VIEWS_PER_LIKE === 0) {
      count.likes++;
      return event('VideoLiked', `like-${videoId}_${userId}`, { videoId, userId });
    }
    count.views++;
    const day = new Date().toISOString().slice(0, 10);
    return event('VideoViewed', `views-${videoId}_${day}`, { videoId, viewer: `user:${userId}` });
  }

  async function appendAll(requests: readonly AppendRequest[]): Promise<void> {
    for (let from = 0; from < requests.length; from += AT_ONCE) {
      const results = await store.appendMany(requests.slice(from, from + AT_ONCE));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  return {
    async upload(videos) {
      const ids = Array.from({ length: videos }, () => v7());
      const facts = { duration: 30, width: 720, height: 1280 };
      const media = (key: string): { key: string; size: number } => ({ key, size: 1_000_000 });
      const uploaded = ids.map((videoId) =>
        event('VideoUploaded', `video-${videoId}`, {
          videoId,
          title: 'A video',
          description: '',
          original: media(`original/${videoId}`),
          facts,
        }),
      );
      const processed = ids.map((videoId) =>
        event('VideoProcessed', `video-${videoId}`, {
          videoId,
          video: media(`video/${videoId}`),
          thumbnail: media(`thumbnail/${videoId}`),
          facts,
        }),
      );
      await appendAll(uploaded);
      await appendAll(processed);
      for (const id of ids) counts.set(id, { likes: 0, views: 0 });
    },
    async steady(perSecond, seconds, shown) {
      const lags: Promise<number>[] = [];
      const begun = performance.now();
      const send = async (due: number): Promise<number> => {
        const { stream, events, expected } = next();
        const { position } = await store.append(stream, events, expected);
        await shown({ stream, position, types: events.map(({ type }) => type) });
        return performance.now() - due;
      };
      while (lags.length < perSecond * seconds) {
        const due = begun + (lags.length / perSecond) * 1_000;
        if (due - performance.now() > 1) await delay(due - performance.now());
        lags.push(send(due));
      }
      return Promise.all(lags);
    },
    flood: (events) => appendAll(Array.from({ length: events }, next)),
    counts,
  };
}
