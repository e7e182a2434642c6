import type { DomainEvent } from '../../core/event.ts';
import type { EventTypeDefinitions } from '../../core/eventTypes.ts';

/** Stream `views-<videoId>_<day>`, appended in batches without an expected revision. */
export type VideoViewed = DomainEvent<
  'VideoViewed',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** `user:<userId>`, or `addr:<hmac>` of the address; never the address itself. */
    readonly viewer: string;
    /** ISO 8601, UTC. Analytics count the view on this day. */
    readonly at: string;
  }
>;

export const viewEventTypes = { VideoViewed: { version: 1 } } as const satisfies EventTypeDefinitions;
