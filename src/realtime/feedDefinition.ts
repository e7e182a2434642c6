import type { z } from 'zod';
import type { DomainEvent, RecordedEvent } from '../core/event.ts';
import type { PushedEvent } from './messages.ts';

/** Data of an event that can be in the feed. `at` is when the event happened (ISO 8601, UTC). */
interface DatedData {
  readonly at: string;
}

/** Who gets events of one type, and with which data. */
export interface FeedRule<Event extends DomainEvent = DomainEvent> {
  /** `data` as subscribers get it. Its description is the summary of the message in AsyncAPI. */
  readonly schema: z.ZodObject;
  /** Those who get the event, for AsyncAPI: "`me` (the owner)". */
  readonly audience: readonly string[];
  /** The topics whose subscribers get the event: `topicOfUser(…)`, or topics that a feature declares. */
  topics(data: Event['data']): readonly string[];
  /** The data that a subscriber may see. `userId` is the user of the subscriber's token. */
  view(data: Event['data'], userId: string | undefined): object;
}

/** For events that are not pushed to anybody. */
export const NOBODY_HEARS = 'nobody hears of it';

/** What the feed does with each event of a feature. A new event type does not compile until it says who may get it. */
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

/** The rules and topics of all features. */
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

/** The event with the data that this subscriber may see. */
export function viewOf({ rules }: FeedDefinition, event: FeedEvent, userId: string | undefined): PushedEvent {
  const { type, data, position } = event;
  return { position: String(position), type, time: data.at, data: rules[type]!.view(data, userId) };
}
