import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';

interface Like {
  readonly videoId: string;
  readonly userId: string;
  /** The video's owner, so that analytics need no look-up. */
  readonly ownerId: string;
  /** The video is private, so the owner likes it, and nobody else may hear of it. Absent otherwise. */
  readonly isPrivate?: true;
  /** ISO 8601, UTC. Analytics count the like on this day. */
  readonly at: string;
}

/** Stream `like-<videoId>_<userId>`: one per pair, so that a popular video has no contention. */
export type LikeEvent = DomainEvent<'VideoLiked', Like> | DomainEvent<'VideoUnliked', Like>;

export const likeEventTypes = {
  VideoLiked: { version: 1, shown: { videoId: true, userId: true, ownerId: true, isPrivate: true, at: true } },
  VideoUnliked: { version: 1, shown: { videoId: true, userId: true, ownerId: true, isPrivate: true, at: true } },
} as const satisfies EventDefinitions<LikeEvent>;
