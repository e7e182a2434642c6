import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';

/**
 * An operator has decided that a projection or subscriber never applies this event. Replays leave it out; they apply the
 * later events of its stream. Stream `projection-<name>`.
 */
export type ParkedEventDiscarded = DomainEvent<
  'ParkedEventDiscarded',
  {
    /** The name of the projection or subscriber. */
    readonly projection: string;
    /** Of the discarded event. A string, because JSON has no bigint. */
    readonly position: string;
    /** The id of the discarded event. */
    readonly eventId: string;
    /** The stream of the discarded event. */
    readonly stream: string;
    readonly reason: string;
    /** The id of the admin, or `command line`. */
    readonly by: string;
    /** ISO 8601, UTC. */
    readonly at: string;
  }
>;

export const operatorEventTypes = {
  ParkedEventDiscarded: {
    version: 1,
    shown: { projection: true, position: true, eventId: true, stream: true, reason: true, by: true, at: true },
  },
} as const satisfies EventDefinitions<ParkedEventDiscarded>;
