import type { z } from 'zod';
import type { DomainEvent, RecordedEvent } from '../core/event.ts';

/** Data of an event that can be in the feed: it says when the event happened (ISO 8601, UTC). */
interface DatedData {
  readonly at: string;
}

/** Who hears of an event of one type, and what they are told. */
export interface FeedRule<Event extends DomainEvent = DomainEvent> {
  /** `data` as subscribers get it. Its description is the summary of the message in the document. */
  readonly schema: z.ZodObject;
  /** Those who hear of it, for the document: "`me` (the owner)". */
  readonly audience: readonly string[];
  /** The topics under which it is pushed: `topicOfUser(…)`, or topics that a feature declares. */
  topics(data: Event['data']): readonly string[];
  /** What a subscriber may see. `userId`: whose token the subscriber has shown. */
  view(data: Event['data'], userId: string | undefined): object;
}

/** For events that nobody hears of. */
export const NOBODY_HEARS = 'nobody hears of it';

/** What the feed does with each event of a feature: a new event type must say who may hear of it, or it does not compile. */
export type FeedRules<Event extends DomainEvent> = {
  readonly [Type in Event['type']]:
    | typeof NOBODY_HEARS
    | (Extract<Event, { type: Type }>['data'] extends DatedData ? FeedRule<Extract<Event, { type: Type }>> : never);
};

/** A kind of topic that clients can subscribe to, beside `me`. */
export interface FeedTopic {
  /** Accepts the topics of this kind. */
  readonly schema: z.ZodType<string>;
  /** How documents and messages write it: `video:<id>`. */
  readonly name: string;
  /** A sentence for the document. */
  readonly description: string;
}

/** All that the feed is made of, collected from the features. */
export interface FeedDefinition {
  readonly rules: Readonly<Record<string, FeedRule>>;
  readonly topics: readonly FeedTopic[];
}

export type FeedEvent = RecordedEvent<DomainEvent<string, DatedData>>;

/** The topic `me` of one user. */
export function topicOfUser(userId: string): string {
  return `me:${userId}`;
}

interface PartOfFeed {
  readonly feed: Readonly<Record<string, FeedRule | typeof NOBODY_HEARS>>;
  readonly topics?: readonly FeedTopic[];
}

export function collectFeed(parts: readonly PartOfFeed[]): FeedDefinition {
  const rules = parts
    .flatMap(({ feed }) => Object.entries(feed))
    .filter((entry): entry is [string, FeedRule] => entry[1] !== NOBODY_HEARS);
  return { rules: Object.fromEntries(rules), topics: parts.flatMap(({ topics = [] }) => topics) };
}

export function topicsOf({ rules }: FeedDefinition, { type, data }: FeedEvent): readonly string[] {
  return rules[type]!.topics(data);
}
