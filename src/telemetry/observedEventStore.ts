import type { CommandStore } from '../core/commandStore.ts';
import { AppendRefused, RevisionConflict, type EventStore } from '../core/eventStore.ts';
import type { Metrics } from './metrics.ts';
import type { Tracing } from './tracing.ts';

/** Counts commands, appends and their events, and makes a span of each append. Wraps the outermost store of a process. */
export function observedEventStore(
  store: EventStore,
  { tracing, metrics }: { tracing: Tracing; metrics: Pick<Metrics, 'counter' | 'histogram'> },
): EventStore & CommandStore {
  const commands = metrics.counter('reelstream_commands_total');
  const appended = metrics.counter('reelstream_events_appended_total');
  const conflicts = metrics.counter('reelstream_append_conflicts_total');
  const durations = metrics.histogram('reelstream_append_duration_seconds');

  const took = (started: number, outcome: AppendOutcome): void =>
    durations.observe({ outcome }, (performance.now() - started) / 1_000);
  const count = (started: number, stream: string, events: readonly unknown[]): void => {
    appended.inc({ category: categoryOf(stream) }, events.length);
    took(started, 'appended');
  };
  const countFailure = (started: number, stream: string, error: unknown): void => {
    if (error instanceof RevisionConflict) conflicts.inc({ category: categoryOf(stream) });
    took(started, outcomeOf(error));
  };

  return {
    append: (stream, events, expected) =>
      tracing.span(
        `append ${categoryOf(stream)}`,
        { kind: 'client', attributes: { 'reelstream.stream': stream, 'reelstream.events': events.length } },
        async () => {
          const started = performance.now();
          try {
            const result = await store.append(stream, events, expected);
            count(started, stream, events);
            return result;
          } catch (error) {
            countFailure(started, stream, error);
            throw error;
          }
        },
      ),
    appendMany: (requests) =>
      // Callers gather what many requests append.
      tracing.continued(
        'append many',
        { kind: 'client', attributes: { 'reelstream.appends': requests.length } },
        () => requests.map(({ events }) => events[0]?.metadata.traceparent),
        async () => {
          const started = performance.now();
          const results = await store.appendMany(requests);
          requests.forEach(({ stream, events }, index) => {
            const result = results[index]!;
            if (result.status === 'fulfilled') count(started, stream, events);
            else countFailure(started, stream, result.reason);
          });
          return results;
        },
      ),
    onCommand: (command, outcome) => commands.inc({ command, outcome }),
    readStream: (stream, options) => store.readStream(stream, options),
    readAll: (options) => store.readAll(options),
    subscribe: (options) => store.subscribe(options),
    head: () => store.head(),
    positionBefore: (time) => store.positionBefore(time),
    logId: () => store.logId(),
    close: () => store.close(),
  };
}

type AppendOutcome = 'appended' | 'conflict' | 'refused' | 'unavailable';

function outcomeOf(error: unknown): AppendOutcome {
  if (error instanceof RevisionConflict) return 'conflict';
  return error instanceof AppendRefused ? 'refused' : 'unavailable';
}

function categoryOf(stream: string): string {
  return stream.slice(0, stream.indexOf('-'));
}
