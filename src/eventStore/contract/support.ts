import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { NewEvent, RecordedEvent } from '../../core/event.ts';
import type { EventBatch, EventStore } from '../../core/eventStore.ts';
import { createWakeUp } from '../../core/wakeUp.ts';

/** The stores on the log that a suite tests. */
export interface StoresUnderTest {
  readonly store: EventStore;
  /** Another store on the same log, as another process would have it. */
  readonly other: EventStore;
  /** Opens one more store; the test closes it. */
  open(): Promise<EventStore>;
}

export function someEvent(type = 'Tested', data: object = {}): NewEvent {
  return { id: randomUUID(), type, data, metadata: { correlationId: 'contract', schemaVersion: 1 } };
}

export function someEvents(count: number, type?: string): NewEvent[] {
  return Array.from({ length: count }, (_, n) => someEvent(type, { n }));
}

/** A stream name that no other test uses. */
export function someStream(category = 'contract'): string {
  return `${category}-${randomUUID()}`;
}

export interface Following extends AsyncDisposable {
  readonly events: readonly RecordedEvent[];
  readonly batches: readonly EventBatch[];
  /** Waits until the condition holds for the events received so far, thirty seconds at most. */
  until(condition: (events: readonly RecordedEvent[]) => boolean): Promise<void>;
}

/** Subscribes and collects the events. Disposing ends the subscription. */
export function follow(store: EventStore, options: Omit<Parameters<EventStore['subscribe']>[0], 'signal'>): Following {
  const abort = new AbortController();
  const batches: EventBatch[] = [];
  const events: RecordedEvent[] = [];
  const came = createWakeUp();
  const done = (async () => {
    for await (const batch of store.subscribe({ ...options, signal: abort.signal })) {
      batches.push(batch);
      events.push(...batch.events);
      came.wake();
    }
  })();
  const failed = done.then(() => Promise.reject(new Error('the subscription ended')));
  failed.catch(() => undefined);
  return {
    events,
    batches,
    until: async (condition) => {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => late.reject(new Error(`the condition did not hold within thirty seconds; ${events.length} events came`)),
        30_000,
      );
      try {
        while (!condition(events)) await Promise.race([came.next(), late.promise, failed]);
      } finally {
        clearTimeout(timer);
      }
    },
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await done;
    },
  };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The events of one stream. */
export function of(stream: string, events: readonly RecordedEvent[]): RecordedEvent[] {
  return events.filter((event) => event.stream === stream);
}

/** The events of this suite. */
export function mine(batches: readonly EventBatch[]): RecordedEvent[] {
  return batches.flatMap(({ events }) => events).filter(({ stream }) => stream.startsWith('contract-'));
}

export function expectRisingPositions(after: bigint, batches: readonly EventBatch[]): void {
  let last = after;
  for (const { events, position } of batches) {
    for (const event of events) {
      expect(event.position).toBeGreaterThan(last);
      last = event.position;
    }
    expect(position).toBeGreaterThanOrEqual(last);
    last = position;
  }
}

/** The error of a promise that must reject. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error('expected a failure, but there was none')),
    (error: unknown) => error,
  );
}
