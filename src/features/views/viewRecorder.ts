import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { noSharedClaims, type SharedClaims } from '../../cache/claims.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { toNewEvents } from '../../core/commandHandler.ts';
import { eventIdFor } from '../../core/eventIds.ts';
import { createMembers } from '../../core/members.ts';
import type { RateLimits } from '../../rateLimits/rateLimits.ts';
import type { AppendRequest, EventStore } from '../../core/eventStore.ts';
import { createAppendBuffer } from './appendBuffer.ts';
import type { VideoViewed } from './events.ts';
import { viewerName, type Viewer } from './viewer.ts';

export interface View {
  readonly videoId: string;
  readonly ownerId: string;
  /** Only the owner may see the video. */
  readonly isPrivate?: boolean;
  readonly viewer: Viewer;
  readonly context: CommandContext;
}

/**
 * Counts views: one per viewer, video and 60 s, and a limited number of viewers per address, video and minute. It works
 * in the background and never throws.
 */
export interface ViewRecorder {
  record(view: View): void;
  /** Records the views that are still held, for five seconds at most. */
  close(): Promise<void>;
}

export interface ViewRecorderOptions {
  readonly store: Pick<EventStore, 'appendMany'>;
  readonly logger: Logger;
  /** The key for the hashes of addresses. All API processes must have the same, so that they recognise viewers. */
  readonly secret: string;
  /** Shares counted views between API processes. Without it, each process counts by itself. */
  readonly claims?: SharedClaims;
  /** Limits the viewers per address (`RATE_LIMIT_VIEWERS`). */
  readonly rateLimits: Pick<RateLimits, 'consume'>;
  /**
   * How many views are held while the event store is not available; 50 000 by default. Beyond that the oldest are
   * dropped.
   */
  readonly mostHeld?: number;
  /** How many viewers are remembered; 100 000 by default. */
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
  const nameOf = rememberedNames(secret);
  const buffer = createAppendBuffer({ store, logger, mostHeld });
  const underWay = createMembers<Promise<void>>();

  /** Accounts cost nothing. Without a limit, one person with many accounts could make any number of views. */
  const withinShare = async ({ videoId, viewer: { address } }: View): Promise<boolean> => {
    const state = await rateLimits.consume('viewers', `${videoId}:${nameOf({ address })}`);
    return state?.allowed !== false;
  };

  const recordUnlessCounted = async (view: View, viewer: string, key: string, now: number): Promise<void> => {
    if ((await claims.claim(`view:${key}`, WINDOW_MS)) !== false) {
      if (await withinShare(view)) buffer.add(toAppend(view, viewer));
    } else if (counted.get(key) === now) {
      // Another process has counted the view at an unknown time. Only Redis knows when its minute ends.
      counted.delete(key);
    }
  };

  return {
    record(view) {
      const viewer = nameOf(view.viewer);
      const now = view.context.now.getTime();
      const key = `${view.videoId}:${viewer}`;
      if (now - (counted.get(key) ?? -Infinity) < WINDOW_MS) return;
      counted.set(key, now);
      const leave = underWay.add(recordUnlessCounted(view, viewer, key, now).finally(() => leave()));
    },
    async close() {
      await Promise.all(underWay.all());
      await buffer.close();
    },
  };
}

/** How many names of addresses are remembered: making one takes longer than the rest of a view. */
const MOST_NAMES = 10_000;

function rememberedNames(secret: string): (viewer: Viewer) => string {
  const names = new LRUCache<string, string>({ max: MOST_NAMES });
  return (viewer) => {
    if (viewer.userId !== undefined) return viewerName(viewer, secret);
    const known = names.get(viewer.address);
    if (known !== undefined) return known;
    const name = viewerName(viewer, secret);
    names.set(viewer.address, name);
    return name;
  };
}

/**
 * The event id is derived from viewer, video and minute. A view that two processes have counted, or one process before
 * and after a crash, is recorded once.
 */
function toAppend({ videoId, ownerId, isPrivate = false, context }: View, viewer: string): AppendRequest {
  const at = context.now.toISOString();
  const stream = `views-${videoId}_${at.slice(0, 10)}`;
  const event: VideoViewed = {
    type: 'VideoViewed',
    data: { videoId, ownerId, viewer, ...(isPrivate && { isPrivate }), at },
  };
  const minute = Math.floor(context.now.getTime() / WINDOW_MS);
  const id = eventIdFor({ actor: viewer, idempotencyKey: String(minute) }, stream, 0);
  return {
    stream,
    events: toNewEvents([event], stream, context).map((newEvent) => ({ ...newEvent, id })),
    expected: 'any',
  };
}
