import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { noSharedClaims, type SharedClaims } from '../../cache/claims.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { toNewEvents } from '../../core/commandHandler.ts';
import { eventIdFor } from '../../core/eventIds.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import type { AppendRequest, EventStore } from '../../core/eventStore.ts';
import { createAppendBuffer } from './appendBuffer.ts';
import type { VideoViewed } from './events.ts';
import { viewerName, type Viewer } from './viewer.ts';

export interface View {
  readonly videoId: string;
  readonly ownerId: string;
  readonly viewer: Viewer;
  readonly context: CommandContext;
}

/**
 * Counts views: one a viewer, a video and 60 s, and of one address so many viewers a video and minute. Never throws, and
 * nobody waits for it.
 */
export interface ViewRecorder {
  record(view: View): void;
  /** Records what is still held, for five seconds at most. */
  close(): Promise<void>;
}

export interface ViewRecorderOptions {
  readonly store: Pick<EventStore, 'appendMany'>;
  readonly logger: Logger;
  /** Hides addresses. All API processes share it, so that they know each other's viewers. */
  readonly secret: string;
  /** Lets API processes see each other's views. Without it, each counts by itself. */
  readonly claims?: SharedClaims;
  /** Bounds the viewers behind one address (`RATE_LIMIT_VIEWERS`). */
  readonly rateLimits: Pick<RateLimits, 'consume'>;
  /** Views held while the event store is away; beyond it the oldest are given up. 50 000 by default. */
  readonly mostHeld?: number;
  /** Viewers remembered; 100 000 by default. */
  readonly mostViewers?: number;
}

const WINDOW_MS = 60_000;

export function createViewRecorder({
  store,
  logger,
  secret,
  claims = noSharedClaims,
  rateLimits,
  mostHeld = 50_000,
  mostViewers = 100_000,
}: ViewRecorderOptions): ViewRecorder {
  /** When each viewer's view of each video was last counted. */
  const counted = new LRUCache<string, number>({ max: mostViewers });
  const buffer = createAppendBuffer({ store, logger, mostHeld });
  const underWay = new Set<Promise<void>>();

  /** Accounts cost nothing: without a bound, one person with many of them could make any number of views. */
  const withinShare = async ({ videoId, viewer: { address } }: View): Promise<boolean> => {
    const state = await rateLimits.consume('viewers', `${videoId}:${viewerName({ address }, secret)}`);
    return state?.allowed !== false;
  };

  const recordUnlessCounted = async (view: View, viewer: string, key: string, now: number): Promise<void> => {
    if ((await claims.claim(`view:${key}`, WINDOW_MS)) !== false) {
      if (await withinShare(view)) buffer.add(toAppend(view, viewer));
    } else if (counted.get(key) === now) {
      // Counted by another process, some time ago: only Redis knows when its minute is over.
      counted.delete(key);
    }
  };

  return {
    record(view) {
      const viewer = viewerName(view.viewer, secret);
      const now = view.context.now.getTime();
      const key = `${view.videoId}:${viewer}`;
      if (now - (counted.get(key) ?? -Infinity) < WINDOW_MS) return;
      counted.set(key, now);
      const recording = recordUnlessCounted(view, viewer, key, now).finally(() => underWay.delete(recording));
      underWay.add(recording);
    },
    async close() {
      await Promise.all(underWay);
      await buffer.close();
    },
  };
}

/** The id is derived from viewer, video and minute, so that what two processes counted, or one before and after a crash, is there once. */
function toAppend({ videoId, ownerId, context }: View, viewer: string): AppendRequest {
  const at = context.now.toISOString();
  const stream = `views-${videoId}_${at.slice(0, 10)}`;
  const event: VideoViewed = { type: 'VideoViewed', data: { videoId, ownerId, viewer, at } };
  const minute = Math.floor(context.now.getTime() / WINDOW_MS);
  const id = eventIdFor({ actor: viewer, idempotencyKey: String(minute) }, stream, 0);
  return {
    stream,
    events: toNewEvents([event], stream, context).map((newEvent) => ({ ...newEvent, id })),
    expected: 'any',
  };
}
