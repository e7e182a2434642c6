import type { EventStore, ReadAllOptions, SubscribeOptions } from '../core/eventStore.ts';
import type { ShownEvent } from '../core/shownEvent.ts';
import type { ShownLog } from '../core/shownLog.ts';
import { topicsOf, viewOf, type FeedDefinition, type FeedEvent } from './feedDefinition.ts';
import { toLogEvent } from './logEvent.ts';
import { LOG_TOPIC, type PushedEvent } from './messages.ts';

/** What a feed reads of the log, who gets each event, and what they see of it. */
export interface FeedContent<Event extends Positioned = Positioned> {
  readonly log: FeedLog<Event>;
  /** Only events of these types are read. Without it, all events are. */
  readonly types?: readonly string[];
  /** How many events a subscriber may have missed. After more, it must begin anew. */
  readonly mostMissed: number;
  topicsOf(event: Event): readonly string[];
  /** `userId` is the user of the subscriber's token. */
  viewOf(event: Event, userId: string | undefined): PushedEvent;
  /** The trace that an emit continues. */
  traceparentOf(event: Event): string | undefined;
}

export interface Positioned {
  readonly position: bigint;
}

interface Batch<Event> {
  readonly events: readonly Event[];
  readonly position: bigint;
}

/** As `EventStore` reads. */
interface FeedLog<Event> {
  head(): Promise<bigint>;
  readAll(options: ReadAllOptions): AsyncIterable<Batch<Event>>;
  subscribe(options: SubscribeOptions): AsyncIterable<Batch<Event>>;
}

/**
 * How many events of the feed a subscriber may have missed. After more, reading the current state over HTTP costs less.
 */
const MOST_MISSED = 20_000;

/**
 * The events that features push, by their rules.
 * @param store decodes events, so that events of older versions have the fields that the rules use
 */
export function eventsOfFeatures(
  definition: FeedDefinition,
  store: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>,
): FeedContent<FeedEvent> {
  return {
    // Only types with a rule are read, and the data of these has a date.
    log: store as FeedLog<FeedEvent>,
    types: Object.keys(definition.rules),
    mostMissed: MOST_MISSED,
    topicsOf: (event) => topicsOf(definition, event),
    viewOf: (event, userId) => viewOf(definition, event, userId),
    traceparentOf: ({ metadata }) => metadata.traceparent,
  };
}

/** Every event, for admins. They have missed none, however long they were away: no state replaces the log. */
export function eventsOfLog(log: ShownLog): FeedContent<ShownEvent> {
  return {
    log,
    mostMissed: Infinity,
    topicsOf: () => [LOG_TOPIC],
    viewOf: toLogEvent,
    // Admins see no traces of requests, and these events do not have them.
    traceparentOf: () => undefined,
  };
}
