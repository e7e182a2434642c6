import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { NewEvent, RecordedEvent } from '../../core/event.ts';
import type { EventBatch, EventStore } from '../../core/eventStore.ts';

/** The log that a suite runs on, as its tests see it. */
export interface StoresUnderTest {
  readonly store: EventStore;
  /** Another store on the same log, as another process would have it. */
  readonly other: EventStore;
  /** One more; the test closes it. */
  open(): Promise<EventStore>;
}

export function someEvent(type = 'Tested', data: object = {}): NewEvent {
  return { id: randomUUID(), type, data, metadata: { correlationId: 'contract', schemaVersion: 1 } };
}

export function someEvents(count: number, type?: string): NewEvent[] {
  return Array.from({ length: count }, (_, n) => someEvent(type, { n }));
}

/** A name that no other test uses. */
export function someStream(category = 'contract'): string {
  return `${category}-${randomUUID()}`;
}

export interface Following extends AsyncDisposable {
  readonly events: readonly RecordedEvent[];
  readonly batches: readonly EventBatch[];
  /** Waits for the subscription to have given what is wanted; thirty seconds at most. */
  until(condition: (events: readonly RecordedEvent[]) => boolean): Promise<void>;
}

/** Subscribes and gathers what comes. Disposing ends the subscription. */
export function follow(store: EventStore, options: Omit<Parameters<EventStore['subscribe']>[0], 'signal'>): Following {
  const abort = new AbortController();
  const batches: EventBatch[] = [];
  const events: RecordedEvent[] = [];
  let came = Promise.withResolvers<void>();
  const done = (async () => {
    for await (const batch of store.subscribe({ ...options, signal: abort.signal })) {
      batches.push(batch);
      events.push(...batch.events);
      came.resolve();
      came = Promise.withResolvers<void>();
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
        () => late.reject(new Error(`not within thirty seconds; ${events.length} events came`)),
        30_000,
      );
      try {
        while (!condition(events)) await Promise.race([came.promise, late.promise, failed]);
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

/** What a promise fails with; not failing is a failure. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error('expected a failure, but there was none')),
    (error: unknown) => error,
  );
}
