import type { DomainEvent, RecordedEvent } from '../core/event.ts';
import type { Consumer, ConsumerTransaction } from './consumer.ts';

export interface SubscriberOptions<Event extends DomainEvent> {
  /** Names its checkpoint, its parked events and its PostgreSQL schema. Never changes. */
  readonly name: string;
  readonly handles: readonly Event['type'][];
  /**
   * Gets each event once in effect, in the order of its stream. What it writes through the transaction is committed
   * together with the checkpoint, or not at all; qualify the tables. What it does elsewhere may happen twice. An error
   * that stays parks the event's stream.
   */
  handle(events: readonly RecordedEvent<Event>[], transaction: ConsumerTransaction): Promise<void>;
}

/** A consumer that reacts to events instead of keeping rows: nothing to rebuild, a checkpoint all the same. */
export function createSubscriber<Event extends DomainEvent>({
  name,
  handles,
  handle,
}: SubscriberOptions<Event>): Consumer {
  return {
    name,
    version: 1,
    handles,
    createTables: () => Promise.resolve(),
    // The engine delivers events of the `handles` types only.
    apply: (events, transaction) => handle(events as readonly RecordedEvent<Event>[], transaction),
  };
}
