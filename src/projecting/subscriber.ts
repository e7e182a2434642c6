import type { DomainEvent, RecordedEvent } from '../core/event.ts';
import type { Consumer, ConsumerTransaction } from './consumer.ts';

export interface SubscriberOptions<Event extends DomainEvent> {
  /** The name of its PostgreSQL schema, which holds its checkpoint and parked events. It never changes. */
  readonly name: string;
  readonly handles: readonly Event['type'][];
  /**
   * Receives each event once in effect, in the order of its stream. What it writes through the transaction is committed
   * together with the checkpoint, or not at all; qualify the tables. Effects elsewhere may happen twice. An event that
   * fails again and again is parked, with the later events of its stream.
   */
  handle(events: readonly RecordedEvent<Event>[], transaction: ConsumerTransaction): Promise<void>;
}

/** A consumer that reacts to events and keeps no rows: it has a checkpoint, and is never rebuilt. */
export function createSubscriber<Event extends DomainEvent>({
  name,
  handles,
  handle,
}: SubscriberOptions<Event>): Consumer {
  return {
    name,
    version: 1,
    variant: '',
    handles,
    createTables: () => Promise.resolve(),
    // The engine delivers events of the `handles` types only.
    apply: (events, transaction) => handle(events as readonly RecordedEvent<Event>[], transaction),
  };
}
