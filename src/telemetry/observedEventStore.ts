import type { EventStore } from '../core/eventStore.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

/** Counts appended events and makes a span of each append. Wraps the outermost store of a process. */
export function observedEventStore(
  store: EventStore,
  { tracing, metrics }: { tracing: Tracing; metrics: Pick<Metrics, 'eventsAppended'> },
): EventStore {
  const count = (stream: string, events: readonly unknown[]): void =>
    metrics.eventsAppended.inc({ category: categoryOf(stream) }, events.length);
  return {
    append: (stream, events, expected) =>
      tracing.span(
        `append ${categoryOf(stream)}`,
        { kind: 'client', attributes: { 'reelstream.stream': stream, 'reelstream.events': events.length } },
        async () => {
          const result = await store.append(stream, events, expected);
          count(stream, events);
          return result;
        },
      ),
    appendMany: (requests) =>
      // Callers gather what many requests append.
      tracing.continued(
        'append many',
        { kind: 'client', attributes: { 'reelstream.appends': requests.length } },
        () => requests.map(({ events }) => events[0]?.metadata.traceparent),
        async () => {
          const results = await store.appendMany(requests);
          requests.forEach(({ stream, events }, index) => {
            if (results[index]?.status === 'fulfilled') count(stream, events);
          });
          return results;
        },
      ),
    readStream: (stream, options) => store.readStream(stream, options),
    readAll: (options) => store.readAll(options),
    subscribe: (options) => store.subscribe(options),
    head: () => store.head(),
    positionBefore: (time) => store.positionBefore(time),
    close: () => store.close(),
  };
}

function categoryOf(stream: string): string {
  return stream.slice(0, stream.indexOf('-'));
}
