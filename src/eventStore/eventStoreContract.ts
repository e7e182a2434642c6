import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewEvent, RecordedEvent } from '../core/event.ts';
import { AppendRefused, RevisionConflict, type EventBatch, type EventStore } from './eventStore.ts';

/** A log for the tests; others may be writing to it at the same time. */
export interface LogUnderTest extends AsyncDisposable {
  /** Another store on the same log, as another process would have it. The suite closes it. */
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

/** What every event store promises, whatever it stands on. Assumes nothing of what else is in the log. */
export function eventStoreContract(name: string, makeLog: () => Promise<LogUnderTest>): void {
  describe(`${name} keeps the contract of an event store`, () => {
    let log: LogUnderTest;
    let store: EventStore;
    let other: EventStore;

    beforeAll(async () => {
      log = await makeLog();
      [store, other] = [await log.open(), await log.open()];
    });

    afterAll(async () => {
      await Promise.all([store?.close(), other?.close()]);
      await log?.[Symbol.asyncDispose]();
    });

    describe('appending', () => {
      test('gives back every event as it was appended, with its place', async () => {
        const stream = someStream();
        const data = { text: 'ünïcode ✓ 🎬 "quoted" \\ \u0000 \n', number: 1.5, nothing: null, list: [1, { deep: true }] };
        const metadata = { correlationId: 'c', causationId: randomUUID(), actor: 'a', traceparent: '00-1', schemaVersion: 3 };
        const event: NewEvent = { id: randomUUID(), type: 'Tested', data, metadata };
        const before = Date.now();
        const { revision, position } = await store.append(stream, [event, someEvent('Other')], 'none');
        expect(revision).toBe(1);
        const [first, second] = await all(store.readStream(stream));
        expect(first).toEqual({ ...event, stream, revision: 0, position: expect.any(BigInt), time: expect.any(Date) });
        expect(second).toMatchObject({ type: 'Other', stream, revision: 1, position });
        expect(Math.abs(first!.time.getTime() - before)).toBeLessThan(60_000);
      });

      test('numbers the events of a stream from 0 without gaps, over several appends', async () => {
        const stream = someStream();
        expect((await store.append(stream, someEvents(2), 'none')).revision).toBe(1);
        expect((await store.append(stream, someEvents(3), 1)).revision).toBe(4);
        expect((await other.append(stream, someEvents(1), 'any')).revision).toBe(5);
        expect((await all(store.readStream(stream))).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5]);
      });

      test.each([
        ['none, when the stream exists', 'none', 1],
        ['a revision before the last', 0, 1],
        ['a revision after the last', 2, 1],
      ] as const)('refuses with a RevisionConflict that expects %s', async (_, expected, actual) => {
        const stream = someStream();
        await store.append(stream, someEvents(2), 'none');
        const error = await failure(store.append(stream, someEvents(1), expected));
        expect(error).toBeInstanceOf(RevisionConflict);
        expect(error).toMatchObject({ stream, expected });
        // A store that cannot say what it found may leave it open.
        expect([actual, undefined]).toContain((error as RevisionConflict).actual);
        expect(await all(store.readStream(stream))).toHaveLength(2);
      });

      test('refuses with a RevisionConflict a revision of a stream that does not exist', async () => {
        const error = await failure(store.append(someStream(), someEvents(1), 0));
        expect(error).toBeInstanceOf(RevisionConflict);
        expect((error as RevisionConflict).actual).toBeUndefined();
      });

      test('lets exactly one of many writers have a stream, whichever process they are in', async () => {
        const stream = someStream();
        const attempts = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? store : other).append(stream, someEvents(1), 'none'));
        const results = await Promise.allSettled(attempts);
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const errors = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
        expect(errors.every((error) => error instanceof RevisionConflict)).toBe(true);
        expect(await all(store.readStream(stream))).toHaveLength(1);
      });

      test('refuses an append without events, and ids that are not UUIDs', async () => {
        const stream = someStream();
        expect(await failure(store.append(stream, [], 'any'))).toBeInstanceOf(AppendRefused);
        expect(await failure(store.append(stream, [{ ...someEvent(), id: 'one' }], 'any'))).toBeInstanceOf(AppendRefused);
        expect(await all(store.readStream(stream))).toEqual([]);
      });
    });

    describe('appending again what is there already', () => {
      test.each(['none', 'any', 0] as const)('answers where the events lie and writes nothing, expecting %s', async (expected) => {
        const stream = someStream();
        if (expected === 0) await store.append(stream, someEvents(1), 'none');
        const events = someEvents(3);
        const first = await store.append(stream, events, expected);
        expect(await other.append(stream, events, expected)).toEqual(first);
        expect(await all(store.readStream(stream))).toHaveLength(first.revision + 1);
      });

      test('does so also when the stream has gone on since', async () => {
        const stream = someStream();
        const events = someEvents(2);
        const first = await store.append(stream, events, 'none');
        await store.append(stream, someEvents(2), 'any');
        expect(await store.append(stream, events, 'none')).toEqual(first);
        expect(await all(store.readStream(stream))).toHaveLength(4);
      });

      test('knows an event by its id alone, even when its data is another (a sealed event never looks the same twice)', async () => {
        const stream = someStream();
        const [event] = [someEvent('Tested', { sealed: 'a' })];
        const first = await store.append(stream, [event], 'none');
        expect(await store.append(stream, [{ ...event, data: { sealed: 'b' } }], 'none')).toEqual(first);
        expect(await all(store.readStream(stream))).toMatchObject([{ data: { sealed: 'a' } }]);
      });

      test('does so when the same append is sent many times at once', async () => {
        const stream = someStream();
        const events = someEvents(2);
        const results = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? store : other).append(stream, events, 'none')));
        expect(new Set(results.map(({ position }) => position)).size).toBe(1);
        expect(await all(store.readStream(stream))).toHaveLength(2);
      });

      test('refuses an append of which only a part is there', async () => {
        const stream = someStream();
        const [known, fresh] = [someEvent(), someEvent()];
        await store.append(stream, [known], 'none');
        await expect(store.append(stream, [known, fresh], 'none')).rejects.toThrow();
        await expect(store.append(stream, [fresh, known], 0)).rejects.toThrow();
        expect(await all(store.readStream(stream))).toHaveLength(1);
      });
    });

    describe('appending many', () => {
      test('answers each request by itself, in the order of the requests', async () => {
        const [taken, free, bad] = [someStream(), someStream(), someStream()];
        await store.append(taken, someEvents(1), 'none');
        const results = await store.appendMany([
          { stream: free, events: someEvents(1), expected: 'none' },
          { stream: taken, events: someEvents(1), expected: 'none' },
          { stream: bad, events: [{ ...someEvent(), id: 'not a uuid' }], expected: 'any' },
          { stream: taken, events: someEvents(2), expected: 0 },
        ]);
        expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
        expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(RevisionConflict);
        expect((results[3] as PromiseFulfilledResult<object>).value).toMatchObject({ revision: 2 });
        expect(await all(store.readStream(bad))).toEqual([]);
      });

      test('takes several requests for one stream', async () => {
        const stream = someStream();
        const requests = Array.from({ length: 50 }, () => ({ stream, events: someEvents(2), expected: 'any' as const }));
        const results = await store.appendMany(requests);
        const revisions = results.map((result) => (result as PromiseFulfilledResult<{ revision: number }>).value.revision);
        expect(revisions.toSorted((a, b) => a - b)).toEqual(requests.map((_, n) => 2 * n + 1));
        const recorded = await all(store.readStream(stream));
        expect(recorded.map(({ revision }) => revision)).toEqual(recorded.map((_, n) => n));
        for (const [n, request] of requests.entries()) {
          const at = revisions[n]!;
          expect(recorded.slice(at - 1, at + 1).map(({ id }) => id)).toEqual(request.events.map(({ id }) => id));
        }
      });

      test('has nothing to answer to no requests', async () => {
        expect(await store.appendMany([])).toEqual([]);
      });
    });

    describe('reading a stream', () => {
      test('gives nothing for a stream that does not exist', async () => {
        expect(await all(store.readStream(someStream()))).toEqual([]);
      });

      test('begins where it is told to, and reads on over pages', async () => {
        const stream = someStream();
        const events = someEvents(1_100);
        await store.append(stream, events, 'none');
        const recorded = await all(store.readStream(stream, { from: 20 }));
        expect(recorded.map(({ id }) => id)).toEqual(events.slice(20).map(({ id }) => id));
        expect(await all(store.readStream(stream, { from: 1_100 }))).toEqual([]);
      });

      test('sees at once what any process has appended', async () => {
        const stream = someStream();
        for (let n = 1; n <= 20; n++) {
          await (n % 2 === 0 ? store : other).append(stream, someEvents(1), 'any');
          expect(await all((n % 2 === 0 ? other : store).readStream(stream))).toHaveLength(n);
        }
      });

      test('throws the reason of its signal when that aborts', async () => {
        const stream = someStream();
        await store.append(stream, someEvents(3), 'none');
        const reason = new Error('enough');
        const abort = new AbortController();
        const seen: RecordedEvent[] = [];
        const reading = (async () => {
          for await (const event of store.readStream(stream, { signal: abort.signal })) {
            seen.push(event);
            abort.abort(reason);
          }
        })();
        expect(await failure(reading)).toBe(reason);
        expect(seen).toHaveLength(1);
        expect(await failure(all(store.readStream(stream, { signal: abort.signal })))).toBe(reason);
      });
    });

    describe('reading the whole log', () => {
      test('gives everything after a position, in the order of positions, in batches of the size asked for', async () => {
        const after = await store.head();
        const streams = [someStream(), someStream(), someStream()];
        for (let n = 0; n < 30; n++) await store.append(streams[n % 3]!, someEvents(1), 'any');
        const batches = await all(store.readAll({ after, batchSize: 7 }));
        const events = batches.flatMap((batch) => batch.events);
        expect(batches.every((batch) => batch.events.length <= 7)).toBe(true);
        expectRisingPositions(after, batches);
        for (const stream of streams) {
          expect(of(stream, events)).toEqual(await all(store.readStream(stream)));
        }
      });

      test('ends, with nothing, at the head', async () => {
        await store.append(someStream(), someEvents(1), 'any');
        const events = (await all(store.readAll({ after: await store.head() }))).flatMap((batch) => batch.events);
        expect(events.filter(({ type }) => type === 'Tested')).toEqual([]);
      });

      test('stops after the position it is told to stop at, that event included', async () => {
        const stream = someStream();
        const after = await store.head();
        const first = await store.append(stream, someEvents(5), 'any');
        await store.append(stream, someEvents(5), 'any');
        const batches = await all(store.readAll({ after, until: first.position }));
        expect(of(stream, batches.flatMap((batch) => batch.events)).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4]);
        expect(batches.every(({ position }) => position <= first.position)).toBe(true);
      });

      test('gives only the types asked for, and still says how far it looked', async () => {
        const stream = someStream();
        const wanted = `Wanted${randomUUID().replaceAll('-', '')}`;
        const after = await store.head();
        for (let n = 0; n < 20; n++) await store.append(stream, [someEvent(n % 5 === 0 ? wanted : 'Unwanted', { n })], 'any');
        const { position: end } = await store.append(stream, [someEvent('Unwanted')], 'any');
        const batches = await all(store.readAll({ after, types: [wanted, 'Nowhere'], batchSize: 2 }));
        expect(batches.flatMap((batch) => batch.events).map(({ data }) => data)).toEqual([{ n: 0 }, { n: 5 }, { n: 10 }, { n: 15 }]);
        expectRisingPositions(after, batches);
        expect(batches.at(-1)!.position).toBeGreaterThanOrEqual(end);
      });

      test('gives the same twice, and the same from the middle', async () => {
        const after = await store.head();
        await store.append(someStream(), someEvents(9), 'any');
        const once = mine(await all(store.readAll({ after, batchSize: 2 })));
        expect(mine(await all(other.readAll({ after })))).toEqual(once);
        expect(mine(await all(store.readAll({ after: once[3]!.position })))).toEqual(once.slice(4));
      });

      test('throws the reason of its signal when that aborts', async () => {
        const after = await store.head();
        await store.append(someStream(), someEvents(9), 'any');
        const reason = new Error('enough');
        const abort = new AbortController();
        const reading = (async () => {
          for await (const _ of store.readAll({ after, batchSize: 1, signal: abort.signal })) abort.abort(reason);
        })();
        expect(await failure(reading)).toBe(reason);
      });

      test('may be left in the middle', async () => {
        const after = await store.head();
        await store.append(someStream(), someEvents(9), 'any');
        for await (const batch of store.readAll({ after, batchSize: 2 })) {
          expect(batch.events.length).toBeLessThanOrEqual(2);
          break;
        }
        expect(mine(await all(store.readAll({ after }))).length).toBeGreaterThanOrEqual(9);
      });

      test('has in its head the position of the last append', async () => {
        const { position } = await store.append(someStream(), someEvents(3), 'any');
        expect(await store.head()).toBeGreaterThanOrEqual(position);
        expect(await other.head()).toBeGreaterThanOrEqual(position);
      });
    });

    describe('subscribing', () => {
      test('gives what is there and then what comes, from every process, without gap or repeat', async () => {
        const stream = someStream();
        const after = await store.head();
        await store.append(stream, someEvents(5), 'any');
        await using subscription = follow(store, { after, batchSize: 3 });
        await subscription.until((events) => of(stream, events).length === 5);
        for (let n = 0; n < 20; n++) await (n % 2 === 0 ? store : other).append(stream, someEvents(1), 'any');
        await subscription.until((events) => of(stream, events).length === 25);
        expect(of(stream, subscription.events).map(({ revision }) => revision)).toEqual(Array.from({ length: 25 }, (_, n) => n));
        expectRisingPositions(after, subscription.batches);
      });

      test('goes on from a position in the middle', async () => {
        const stream = someStream();
        await store.append(stream, someEvents(3), 'any');
        const [, second] = await all(store.readStream(stream));
        await using subscription = follow(store, { after: second!.position });
        await subscription.until((events) => of(stream, events).length === 1);
        expect(of(stream, subscription.events)[0]).toMatchObject({ stream, revision: 2 });
      });

      test('gives only the types asked for', async () => {
        const stream = someStream();
        const wanted = `Wanted${randomUUID().replaceAll('-', '')}`;
        await using subscription = follow(store, { after: await store.head(), types: [wanted] });
        for (let n = 0; n < 6; n++) await other.append(stream, [someEvent(n % 3 === 0 ? wanted : 'Unwanted', { n })], 'any');
        await subscription.until((events) => events.length === 2);
        expect(subscription.events.map(({ data }) => data)).toEqual([{ n: 0 }, { n: 3 }]);
      });

      test('ends, without an error, when its signal aborts: while it waits, and before it begins', async () => {
        const abort = new AbortController();
        const waiting = all(store.subscribe({ after: await store.head(), signal: abort.signal }));
        abort.abort();
        await waiting;
        expect(await all(store.subscribe({ after: 0n, signal: abort.signal }))).toEqual([]);
      });

      test('ends when its signal aborts while the consumer works on a batch', async () => {
        const after = await store.head();
        await store.append(someStream(), someEvents(9), 'any');
        const abort = new AbortController();
        let batches = 0;
        for await (const _ of store.subscribe({ after, batchSize: 1, signal: abort.signal })) {
          batches++;
          abort.abort();
        }
        expect(batches).toBe(1);
      });

      test('lets a slow consumer set the pace of its own subscription only', async () => {
        const stream = someStream();
        const after = await store.head();
        await using fast = follow(store, { after, batchSize: 5 });
        const slow = store.subscribe({ after, batchSize: 5 })[Symbol.asyncIterator]();
        await store.append(stream, someEvents(50), 'any');
        await fast.until((events) => of(stream, events).length === 50);
        const seen: RecordedEvent[] = [];
        while (of(stream, seen).length < 50) seen.push(...((await slow.next()).value as EventBatch).events);
        await slow.return?.();
        expect(of(stream, seen).map(({ revision }) => revision)).toEqual(Array.from({ length: 50 }, (_, n) => n));
      });

      test('ends when the store closes', async () => {
        const third = await log.open();
        const waiting = all(third.subscribe({ after: await third.head() }));
        await third.close();
        await waiting;
      });
    });

    describe('closing', () => {
      test('finishes the appends under way', async () => {
        const third = await log.open();
        const stream = someStream();
        const appends = Array.from({ length: 30 }, () => third.append(stream, someEvents(1), 'any'));
        await third.close();
        await Promise.all(appends);
        expect(await all(store.readStream(stream))).toHaveLength(30);
      });
    });
  });
}

export interface Following extends AsyncDisposable {
  readonly events: readonly RecordedEvent[];
  readonly batches: readonly EventBatch[];
  /** Waits for the subscription to have given what is wanted; ten seconds at most. */
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
      const timer = setTimeout(() => late.reject(new Error(`not within ten seconds; ${events.length} events came`)), 10_000);
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

function of(stream: string, events: readonly RecordedEvent[]): RecordedEvent[] {
  return events.filter((event) => event.stream === stream);
}

function mine(batches: readonly EventBatch[]): RecordedEvent[] {
  return batches.flatMap(({ events }) => events).filter(({ stream }) => stream.startsWith('contract-'));
}

function expectRisingPositions(after: bigint, batches: readonly EventBatch[]): void {
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

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => Promise.reject(new Error('expected a failure, but there was none')),
    (error: unknown) => error,
  );
}
