import type { RecordedEvent } from './event.ts';
import type { EventStore, ReadAllOptions, ReadStreamOptions, SubscribeOptions } from './eventStore.ts';
import type { EventTypeDefinitions } from './eventTypes.ts';
import { createShowEvent, type ShownEvent } from './shownEvent.ts';

/** As `EventBatch`. */
export interface ShownBatch {
  readonly events: readonly ShownEvent[];
  readonly position: bigint;
}

/** The event log for people: every event, without personal data. It reads as `EventStore` does. */
export interface ShownLog extends Pick<EventStore, 'head' | 'positionBefore'> {
  /** The event types that the program knows, in alphabetical order. */
  readonly types: readonly string[];
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<ShownEvent>;
  readAll(options: ReadAllOptions): AsyncIterable<ShownBatch>;
  subscribe(options: SubscribeOptions): AsyncIterable<ShownBatch>;
}

/** @param store with events as they are stored: it must not open personal data */
export function createShownLog(
  store: Pick<EventStore, 'head' | 'positionBefore' | 'readStream' | 'readAll' | 'subscribe'>,
  types: EventTypeDefinitions,
): ShownLog {
  const show = createShowEvent(types);

  async function* batches(read: ReturnType<EventStore['readAll']>): AsyncGenerator<ShownBatch> {
    for await (const { events, position } of read) yield { events: events.map(show), position };
  }

  async function* streamed(read: AsyncIterable<RecordedEvent>): AsyncGenerator<ShownEvent> {
    for await (const event of read) yield show(event);
  }

  return {
    types: Object.keys(types).toSorted(),
    head: () => store.head(),
    positionBefore: (time) => store.positionBefore(time),
    readStream: (stream, options) => streamed(store.readStream(stream, options)),
    readAll: (options) => batches(store.readAll(options)),
    subscribe: (options) => batches(store.subscribe(options)),
  };
}
