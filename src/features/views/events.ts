import type { DomainEvent } from '../../core/event.ts';
import { LEFT_OUT, type EventDefinitions } from '../../core/eventTypes.ts';

/** Stream `views-<videoId>_<day>`, appended in batches without an expected revision. */
export type VideoViewed = DomainEvent<
  'VideoViewed',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** `user:<userId>`, or `addr:<hmac>` of the address; never the address itself. */
    readonly viewer: string;
    /** The video is private, so the owner watches it, and nobody else may hear of it. Absent otherwise. */
    readonly isPrivate?: true;
    /** ISO 8601, UTC. Analytics count the view on this day. */
    readonly at: string;
  }
>;

export const viewEventTypes = {
  VideoViewed: {
    version: 1,
    shown: {
      videoId: true,
      ownerId: true,
      // All views from one address have the same hash, so it says what somebody without an account watches.
      viewer: (viewer) => (viewer.startsWith('user:') ? viewer : LEFT_OUT),
      isPrivate: true,
      at: true,
    },
  },
} as const satisfies EventDefinitions<VideoViewed>;
