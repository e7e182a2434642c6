import type { Logger } from 'pino';
import { pause } from '../core/abortable.ts';
import { DomainError } from '../core/errors.ts';
import type { EventStore } from '../eventStore/eventStore.ts';
import { feedEventTypes, topicsOf, viewFor, type FeedEvent, type PushedEvent } from './visibleEvents.ts';

export interface Subscriber {
  readonly userId: string | undefined;
  readonly topics: readonly string[];
  push(event: PushedEvent): void;
}

export interface FeedSubscription {
  /** Every event after it will be pushed. */
  readonly position: bigint;
  /** Begins pushing: first what happened since, then what happens. Rejects when it falls too far behind to catch up. */
  start(): Promise<void>;
  end(): void;
}

/** Pushes events to subscribers in the order of the log, each once, without a gap between what was and what comes. */
export interface EventFeed {
  /** @throws DomainError `position_unknown`, `feed_unavailable` */
  subscribe(subscriber: Subscriber, since?: bigint): Promise<FeedSubscription>;
  close(): Promise<void>;
}

export interface EventFeedOptions {
  /** Decoded or not: none of these events has personal fields. Its order is the order that subscribers see. */
  readonly store: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>;
  readonly logger: Logger;
}

const RETRY_MS = 500;
const PAGE = 1_000;
/** Events of the feed that a subscriber may have missed. Whoever missed more is better off asking for the feed anew. */
const MOST_MISSED = 20_000;
/** Subscribers catching up at a time; others wait. Each reads the store. */
const MOST_CATCHING_UP = 4;

export function createEventFeed({ store, logger }: EventFeedOptions): EventFeed {
  const closing = new AbortController();
  const { signal } = closing;
  const byTopic = new Map<string, Set<LiveSubscription>>();
  let live: bigint | undefined;
  let moved = Promise.withResolvers<undefined>();
  const slots = createSlots(MOST_CATCHING_UP);
  const following = follow();

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        live ??= await store.head();
        announce();
        for await (const { events, position } of store.subscribe({ after: live, types: feedEventTypes, signal })) {
          for (const event of events as FeedEvent[]) if (event.position > live) deliver(event);
          live = position;
          announce();
        }
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'the event feed lost the log and will take it up again');
      }
      await pause(RETRY_MS, signal);
    }
  }

  function announce(): void {
    moved.resolve(undefined);
    moved = Promise.withResolvers();
  }

  function deliver(event: FeedEvent): void {
    const receivers = new Set<LiveSubscription>();
    for (const topic of topicsOf(event)) for (const subscription of byTopic.get(topic) ?? []) receivers.add(subscription);
    for (const subscription of receivers) subscription.give(event);
  }

  function join(subscription: LiveSubscription): void {
    for (const topic of subscription.topics) {
      const members = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, members.add(subscription));
    }
  }

  function leave(subscription: LiveSubscription): void {
    for (const topic of subscription.topics) {
      const members = byTopic.get(topic);
      members?.delete(subscription);
      if (members?.size === 0) byTopic.delete(topic);
    }
  }

  /** Reads the log until the subscriber is where the live events are, and lets it in there and then. */
  async function catchUp(subscription: LiveSubscription): Promise<void> {
    let missed = 0;
    while (!subscription.ended && live !== undefined && subscription.position < live) {
      const until = live;
      const pages = store.readAll({ after: subscription.position, until, types: feedEventTypes, batchSize: PAGE, signal });
      for await (const { events, position } of pages) {
        if ((missed += events.length) > MOST_MISSED) throw new DomainError('invalid', 'too_far_behind', 'Too much has happened since; ask for the feed anew.');
        for (const event of events as FeedEvent[]) if (topicsOf(event).some((topic) => subscription.topics.has(topic))) subscription.give(event);
        subscription.passed(position);
        if (subscription.ended) return;
      }
      // What the filter left out after the last event has been passed as well.
      subscription.passed(until);
    }
    if (!subscription.ended) join(subscription);
  }

  return {
    subscribe: async (subscriber, since) => {
      if (live === undefined) await Promise.race([moved.promise, pause(5_000, signal)]);
      if (live === undefined) throw new DomainError('unavailable', 'feed_unavailable', 'Events cannot be read right now; try again shortly.');
      if (since !== undefined && since > live && since > (await store.head())) {
        throw new DomainError('invalid', 'position_unknown', 'There is no such position yet.');
      }
      const subscription = new LiveSubscription(subscriber, since ?? live);
      return {
        position: subscription.position,
        start: () => slots(() => catchUp(subscription)),
        end: () => {
          subscription.ended = true;
          leave(subscription);
        },
      };
    },
    close: async () => {
      closing.abort();
      await following;
    },
  };
}

class LiveSubscription {
  readonly topics: ReadonlySet<string>;
  readonly #subscriber: Subscriber;
  position: bigint;
  ended = false;

  constructor(subscriber: Subscriber, position: bigint) {
    this.#subscriber = subscriber;
    this.topics = new Set(subscriber.topics);
    this.position = position;
  }

  give(event: FeedEvent): void {
    if (this.ended || event.position <= this.position) return;
    this.position = event.position;
    this.#subscriber.push(viewFor(event, this.#subscriber.userId));
  }

  passed(position: bigint): void {
    if (position > this.position) this.position = position;
  }
}

/** Lets so many run at a time. */
function createSlots(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
