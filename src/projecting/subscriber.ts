import type pg from 'pg';
import type { RecordedEvent } from '../core/event.ts';
import type { ReelStreamEvent } from '../eventTypes.ts';
import type { Consumer } from './consumer.ts';

export interface SubscriberOptions<Type extends ReelStreamEvent['type']> {
  /** Names its checkpoint, its parked events and its PostgreSQL schema. Never changes. */
  readonly name: string;
  readonly handles: readonly Type[];
  /**
   * Gets each event once in effect, in the order of its stream. What it writes through `client` is committed together
   * with the checkpoint, or not at all; qualify the tables. What it does elsewhere may happen twice. An error that
   * stays parks the event's stream.
   */
  handle(events: readonly RecordedEvent<Extract<ReelStreamEvent, { type: Type }>>[], client: pg.ClientBase): Promise<void>;
}

/** A consumer that reacts to events instead of keeping rows: nothing to rebuild, a checkpoint all the same. */
export function createSubscriber<Type extends ReelStreamEvent['type']>({ name, handles, handle }: SubscriberOptions<Type>): Consumer {
  return {
    name,
    version: 1,
    handles,
    createTables: () => Promise.resolve(),
    apply: (events, { client }) => handle(events as readonly RecordedEvent<Extract<ReelStreamEvent, { type: Type }>>[], client),
  };
}
