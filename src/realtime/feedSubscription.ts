import type { PushedEvent } from './messages.ts';
import type { FeedDefinition, FeedEvent } from './feedDefinition.ts';

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
export class LiveSubscription {
  readonly subscriber: Subscriber;
  readonly topics: ReadonlySet<string>;
  readonly #definition: FeedDefinition;
  position: bigint;
  ended = false;

  constructor(subscriber: Subscriber, definition: FeedDefinition, position: bigint) {
    this.subscriber = subscriber;
    this.#definition = definition;
    this.topics = new Set(subscriber.topics);
    this.position = position;
  }

  give(event: FeedEvent): void {
    if (this.ended || event.position <= this.position) return;
    this.position = event.position;
    this.subscriber.push(viewOf(this.#definition, event, this.subscriber.userId));
  }

  passed(position: bigint): void {
    if (position > this.position) this.position = position;
  }
}

/** The event with the data that this subscriber may see. */
export function viewOf({ rules }: FeedDefinition, event: FeedEvent, userId: string | undefined): PushedEvent {
  const { type, data, position } = event;
  return { position: String(position), type, time: data.at, data: rules[type]!.view(data, userId) };
}
