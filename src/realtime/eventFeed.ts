import { pause } from '../core/abortable.ts';
import { DomainError } from '../core/errors.ts';
import { createFairTurns } from '../core/fairTurns.ts';
import { createWakeUp } from '../core/wakeUp.ts';
import { withTimeout } from '../core/withTimeout.ts';
import type { FailureLog } from '../telemetry/failureLog.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';
import { createFeedCounts, type FeedCounts } from '../telemetry/socketMetrics.ts';
import type { FeedContent, Positioned } from './feedContent.ts';
import { LiveSubscription, type Subscriber } from './feedSubscription.ts';
import { createPlaces } from './places.ts';

export interface FeedSubscription {
  /** Every event after this position will be pushed. */
  readonly position: bigint;
  /**
   * Begins to push: first the events since the position, then new ones. Resolves when the subscriber has caught up.
   * @throws DomainError `too_far_behind`: the subscription is over. Any other error: the log could not be read.
   */
  start(): Promise<void>;
  end(): void;
}

/** Pushes events to subscribers in the order of the log, each once, without a gap between past and new events. */
export interface EventFeed {
  /**
   * The caller must call `start` or `end` of the subscription.
   * @throws DomainError `position_unknown`, `feed_unavailable`, `too_many_catch_ups`
   */
  subscribe(subscriber: Subscriber, since?: bigint): Promise<FeedSubscription>;
  close(): Promise<void>;
}

export interface EventFeedOptions<Event extends Positioned> {
  readonly content: FeedContent<Event>;
  /** How many subscribers from one address may catch up at a time. */
  readonly catchUpsPerAddress: number;
  /** Told each time that the log cannot be read. */
  readonly failed: FailureLog;
  readonly tracing?: Tracing | undefined;
  /** Counts subscribers and events. */
  readonly counts?: FeedCounts;
}

/** Attributes of a span, by the semantic conventions for messaging. */
const EMIT = {
  'messaging.system': 'socket.io',
  'messaging.operation.type': 'send',
  'messaging.operation.name': 'emit',
  'messaging.destination.name': 'event',
};

const RETRY_MS = 500;
/** Milliseconds that a subscriber waits for the log, while this process has not yet read where it ends. */
const LONGEST_WAIT_MS = 5_000;
/** Events that a subscriber who is catching up gets in one turn. */
const PAGE = 500;
/** How many pages are read from the store at a time. */
const MOST_READING = 4;

const TOO_FAR_BEHIND =
  'Too much has happened since that position. Read the current state again and subscribe without "since".';
const TOO_MANY_CATCH_UPS =
  'Too many subscribers from your address are catching up. Try again in a few seconds, or subscribe without "since".';

export function createEventFeed<Event extends Positioned>({
  content,
  catchUpsPerAddress,
  failed,
  tracing = noTracing,
  counts = createFeedCounts(),
}: EventFeedOptions<Event>): EventFeed {
  const { log, types, mostMissed } = content;
  const ofTypes = types && { types };
  const closing = new AbortController();
  const { signal } = closing;
  const byTopic = new Map<string, Set<LiveSubscription<Event>>>();
  let live: bigint | undefined;
  const moved = createWakeUp();
  const turns = createFairTurns(MOST_READING);
  const catchUps = createPlaces(catchUpsPerAddress);
  const following = follow();

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        live ??= await log.head();
        moved.wake();
        for await (const { events, position } of log.subscribe({ after: live, ...ofTypes, signal })) {
          for (const event of events) if (event.position > live) deliver(event);
          live = position;
          moved.wake();
        }
      } catch (error) {
        if (!signal.aborted) failed(error, 'the event feed cannot read the log and will try again');
      }
      await pause(RETRY_MS, signal);
    }
  }

  function deliver(event: Event): void {
    const receivers = new Set<LiveSubscription<Event>>();
    for (const topic of content.topicsOf(event))
      for (const subscription of byTopic.get(topic) ?? []) receivers.add(subscription);
    if (receivers.size === 0) return;
    // A closure for each event would be garbage while nothing is traced.
    if (tracing.enabled) tracedGive(event, receivers);
    else give(event, receivers);
  }

  function tracedGive(event: Event, receivers: ReadonlySet<LiveSubscription<Event>>): void {
    const attributes = { ...EMIT, 'messaging.batch.message_count': receivers.size };
    tracing.continued(
      'emit event',
      { kind: 'producer', attributes },
      () => [content.traceparentOf(event)],
      () => give(event, receivers),
    );
  }

  function give(event: Event, receivers: ReadonlySet<LiveSubscription<Event>>): void {
    for (const subscription of receivers) subscription.give(event);
  }

  function join(subscription: LiveSubscription<Event>): void {
    for (const topic of subscription.topics) {
      const members = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, members.add(subscription));
    }
  }

  function leave(subscription: LiveSubscription<Event>): void {
    for (const topic of subscription.topics) {
      const members = byTopic.get(topic);
      members?.delete(subscription);
      if (members?.size === 0) byTopic.delete(topic);
    }
  }

  /**
   * Reads the log until the subscriber is where the live events are, and joins it to them in the same step. Between two
   * pages the subscriber queues again, so that others get their turn, and waits for its client, so that few events are
   * in memory.
   */
  async function catchUp(subscription: LiveSubscription<Event>): Promise<void> {
    const { subscriber } = subscription;
    const behind = (): boolean => !subscription.ended && live !== undefined && subscription.position < live;
    let missed = 0;
    while (behind()) {
      missed += await turns(subscriber.address, () => givePage(subscription));
      if (!behind()) break;
      if (missed > mostMissed) throw new DomainError('invalid', 'too_far_behind', TOO_FAR_BEHIND);
      await subscriber.drained();
    }
    if (!subscription.ended) join(subscription);
  }

  /** Gives the next page. Returns how many events of the feed it has, whether or not the subscriber gets them. */
  async function givePage(subscription: LiveSubscription<Event>): Promise<number> {
    const { topics } = subscription;
    const until = live;
    if (subscription.ended || until === undefined) return 0;
    for await (const { events, position } of log.readAll({
      after: subscription.position,
      until,
      ...ofTypes,
      batchSize: PAGE,
      signal,
    })) {
      for (const event of events)
        if (content.topicsOf(event).some((topic) => topics.has(topic))) subscription.give(event);
      subscription.passed(position);
      return events.length;
    }
    subscription.passed(until);
    return 0;
  }

  return {
    subscribe: async (subscriber, since) => {
      if (live === undefined)
        await withTimeout(moved.next(signal), LONGEST_WAIT_MS, () => undefined).catch(() => undefined);
      if (live === undefined)
        throw new DomainError('unavailable', 'feed_unavailable', 'Events cannot be read right now; try again shortly.');
      if (since !== undefined && since > live && since > (await log.head())) {
        throw new DomainError('invalid', 'position_unknown', 'There is no such position yet.');
      }
      const leaveCatchUps = since === undefined || since >= live ? undefined : catchUps.take(subscriber.address);
      if (since !== undefined && since < live && leaveCatchUps === undefined)
        throw new DomainError('rateLimited', 'too_many_catch_ups', TOO_MANY_CATCH_UPS);
      const subscription = new LiveSubscription(subscriber, content, since ?? live, counts);
      counts.subscribers++;
      return {
        position: subscription.position,
        start: async () => {
          counts.catchUps += leaveCatchUps === undefined ? 0 : 1;
          counts.catchingUp++;
          try {
            await catchUp(subscription);
          } finally {
            counts.catchingUp--;
            leaveCatchUps?.();
          }
        },
        end: () => {
          if (!subscription.ended) counts.subscribers--;
          subscription.ended = true;
          leaveCatchUps?.();
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
