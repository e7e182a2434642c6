import type { RecordedEvent } from '../../src/core/event.ts';
import type { EventStore } from '../../src/core/eventStore.ts';

/** A log of these events that can only be read. */
export function createFakeLog(
  events: readonly Pick<RecordedEvent, 'position' | 'type' | 'time'>[],
): Pick<EventStore, 'head' | 'readAll'> {
  return {
    head: () => Promise.resolve(events.at(-1)?.position ?? 0n),
    async *readAll({ after, until, types, batchSize = 5_000 }) {
      const wanted = events.filter(
        ({ position, type }) =>
          position > after && (until === undefined || position <= until) && (types?.includes(type) ?? true),
      );
      for (let from = 0; from < wanted.length; from += batchSize) {
        const page = wanted.slice(from, from + batchSize) as RecordedEvent[];
        await Promise.resolve();
        yield { events: page, position: page.at(-1)!.position };
      }
    },
  };
}
