import type { FeedCounts } from '../telemetry/socketMetrics.ts';
import type { PushedEvent } from './messages.ts';
import type { FeedContent, Positioned } from './feedContent.ts';

export interface Subscriber {
  readonly userId: string | undefined;
  /** Subscribers from one address share its turns while they catch up. */
  readonly address: string;
  readonly topics: readonly string[];
  push(event: PushedEvent): void;
  /** Resolves when all pushed events are on their way to the client, or when the client has disconnected. */
  drained(): Promise<void>;
}

/** Keeps a subscriber's position in the log. Gives the subscriber each event once, however often it is offered. */
export class LiveSubscription<Event extends Positioned> {
  readonly subscriber: Subscriber;
  readonly topics: ReadonlySet<string>;
  readonly #content: FeedContent<Event>;
  readonly #counts: Pick<FeedCounts, 'pushed'>;
  position: bigint;
  ended = false;

  constructor(
    subscriber: Subscriber,
    content: FeedContent<Event>,
    position: bigint,
    counts: Pick<FeedCounts, 'pushed'>,
  ) {
    this.subscriber = subscriber;
    this.#content = content;
    this.#counts = counts;
    this.topics = new Set(subscriber.topics);
    this.position = position;
  }

  give(event: Event): void {
    if (this.ended || event.position <= this.position) return;
    this.position = event.position;
    this.#counts.pushed++;
    this.subscriber.push(this.#content.viewOf(event, this.subscriber.userId));
  }

  passed(position: bigint): void {
    if (position > this.position) this.position = position;
  }
}
