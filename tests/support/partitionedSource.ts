import { partitionOf } from '../../src/core/partitions.ts';
import type { EventSource } from '../../src/delivery/eventSource.ts';

/** Divides a log of one partition into several, all of them for this process: the layout that Kafka has, without Kafka. */
export function partitionedSource(source: EventSource, partitions: number): EventSource {
  return {
    async *assignments(until) {
      for await (const _ of source.assignments(until))
        yield { partitions, mine: Array.from({ length: partitions }, (_, n) => n) };
    },
    open(partition) {
      const reader = source.open(0);
      return {
        async next(after, signal) {
          const { events, position } = await reader.next(after, signal);
          return { events: events.filter(({ stream }) => partitionOf(stream, partitions) === partition), position };
        },
        close: () => reader.close(),
      };
    },
    close: () => source.close(),
  };
}
