import type { DomainEvent } from '../../src/core/event.ts';
import { fc } from './property.ts';

/** The events of one stream, in order. */
export interface StreamHistory<Event extends DomainEvent = DomainEvent> {
  readonly stream: string;
  readonly events: readonly Event[];
}

/** The users and videos that the histories of all features are about. Every video has one of the users as its owner. */
export interface Cast {
  readonly userIds: readonly string[];
  readonly videos: readonly { readonly videoId: string; readonly ownerId: string }[];
}

/**
 * What a feature's `src/features/<name>/testHistories.ts` exports as `histories`: one generator for each stream that
 * may exist, whose events come in an order that the stream can have. A stream without events is left out. The feature's
 * event types narrow `Event`, so that the events are type-checked.
 */
export type FeatureHistories<Event extends DomainEvent> = (
  cast: Cast,
) => readonly fc.Arbitrary<StreamHistory<NoInfer<Event>>>[];

/** A moment within three days, ISO 8601, UTC. */
export const moment: fc.Arbitrary<string> = fc
  .nat({ max: 71 })
  .map((hour) => new Date(Date.UTC(2025, 0, 30, hour, hour % 60)).toISOString());
