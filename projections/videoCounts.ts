import type { LikeEvent } from '../src/features/likes/events.ts';
import type { VideoViewed } from '../src/features/views/events.ts';

/** What an event must say to be counted. */
export interface Countable {
  readonly videoId: string;
  readonly ownerId: string;
  /** ISO 8601, UTC: the day that analytics count it under. */
  readonly at: string;
}

type EventOfVideo<Event extends { readonly type: string; readonly data: Countable }> = Event;
type CountableEvent = EventOfVideo<VideoViewed | LikeEvent>;

/**
 * What is counted of a video, and by how much each event changes it. Everything else follows from this list: for `like`,
 *
 * - `like_count` in `videos.counts`, and `likeCount` in every answer that shows a video;
 * - `likes` in `analytics.daily`, and `totalLikes`, `likesOverTime` and the top videos' `likeCount` in the analytics answer.
 *
 * To count something new, add its events to `CountableEvent` and a line here, and raise `countsVersion`.
 * `example` is the number that `/openapi.json` shows.
 */
export const videoCounts = {
  view: { on: { VideoViewed: 1 }, example: 5 },
  like: { on: { VideoLiked: 1, VideoUnliked: -1 }, example: 3 },
} as const satisfies Record<string, { on: Partial<Record<CountableEvent['type'], 1 | -1>>; example: number }>;

/** Part of the versions of both projections that count: raise it with every change of the list. */
export const countsVersion = 0;

export type Counted = keyof typeof videoCounts;
type TypesOn<Count> = Count extends { readonly on: infer On } ? keyof On : never;
/** The events that change some count. */
export type CountedEvent = Extract<CountableEvent, { type: TypesOn<(typeof videoCounts)[Counted]> }>;

export const counted = Object.keys(videoCounts) as readonly Counted[];

const changesOf = new Map<string, readonly CountChange[]>();
for (const what of counted) {
  for (const [type, by] of Object.entries(videoCounts[what].on))
    changesOf.set(type, [...(changesOf.get(type) ?? []), { what, by }]);
}

export const countedEventTypes = [...changesOf.keys()] as readonly CountedEvent['type'][];

/** One field for each count: with the suffix `_count`, an object with `view_count` and `like_count`. */
export function eachCount<Suffix extends string, Value>(
  suffix: Suffix,
  valueOf: (what: Counted) => Value,
): Record<`${Counted}${Suffix}`, Value> {
  const fields: Record<string, Value> = {};
  for (const what of counted) fields[what + suffix] = valueOf(what);
  return fields as Record<`${Counted}${Suffix}`, Value>;
}

interface CountChange {
  readonly what: Counted;
  readonly by: number;
}

const nothing: readonly CountChange[] = [];

/** How an event of this type changes the counts. */
export function countChanges(type: string): readonly CountChange[] {
  return changesOf.get(type) ?? nothing;
}
