import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { NewEvent } from '../../core/event.ts';
import { AppendRefused, RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import { all, failure, someEvent, someEvents, someStream, type StoresUnderTest } from './support.ts';

/** What an event store promises about appending. */
export function appendingContract(stores: () => StoresUnderTest): void {
  let store: EventStore;
  let other: EventStore;
  beforeAll(() => {
    ({ store, other } = stores());
  });

  describe('appending', () => {
    test('stores every event as it was appended, and answers its place', async () => {
      const stream = someStream();
      const data = {
        text: 'ünïcode ✓ 🎬 "quoted" \\ \u0000 \n',
        number: 1.5,
        nothing: null,
        list: [1, { deep: true }],
      };
      const metadata = {
        correlationId: 'c',
        causationId: randomUUID(),
        actor: 'a',
        traceparent: '00-1',
        schemaVersion: 3,
      };
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
      // A store may leave the actual revision undefined.
      expect([actual, undefined]).toContain((error as RevisionConflict).actual);
      expect(await all(store.readStream(stream))).toHaveLength(2);
    });

    test('refuses with a RevisionConflict a revision of a stream that does not exist', async () => {
      const error = await failure(store.append(someStream(), someEvents(1), 0));
      expect(error).toBeInstanceOf(RevisionConflict);
      expect((error as RevisionConflict).actual).toBeUndefined();
    });

    test('lets exactly one of many writers create a stream, whichever process they are in', async () => {
      const stream = someStream();
      const attempts = Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? store : other).append(stream, someEvents(1), 'none'),
      );
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

  describe('appending events again that are in the stream', () => {
    test.each(['none', 'any', 0] as const)('answers their place and writes nothing, expecting %s', async (expected) => {
      const stream = someStream();
      if (expected === 0) await store.append(stream, someEvents(1), 'none');
      const events = someEvents(3);
      const first = await store.append(stream, events, expected);
      expect(await other.append(stream, events, expected)).toEqual(first);
      expect(await all(store.readStream(stream))).toHaveLength(first.revision + 1);
    });

    test('does so even when more events have been appended since', async () => {
      const stream = someStream();
      const events = someEvents(2);
      const first = await store.append(stream, events, 'none');
      await store.append(stream, someEvents(2), 'any');
      expect(await store.append(stream, events, 'none')).toEqual(first);
      expect(await all(store.readStream(stream))).toHaveLength(4);
    });

    test('recognises an event by its id alone, even when its data differs (a sealed event never looks the same twice)', async () => {
      const stream = someStream();
      const [event] = [someEvent('Tested', { sealed: 'a' })];
      const first = await store.append(stream, [event], 'none');
      expect(await store.append(stream, [{ ...event, data: { sealed: 'b' } }], 'none')).toEqual(first);
      expect(await all(store.readStream(stream))).toMatchObject([{ data: { sealed: 'a' } }]);
    });

    test('does so when the same append is sent many times at once', async () => {
      const stream = someStream();
      const events = someEvents(2);
      const results = await Promise.all(
        Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? store : other).append(stream, events, 'none')),
      );
      expect(new Set(results.map(({ position }) => position)).size).toBe(1);
      expect(await all(store.readStream(stream))).toHaveLength(2);
    });

    test('refuses an append of which only a part is in the stream', async () => {
      const stream = someStream();
      const [known, fresh] = [someEvent(), someEvent()];
      await store.append(stream, [known], 'none');
      await expect(store.append(stream, [known, fresh], 'none')).rejects.toThrow(AppendRefused);
      await expect(store.append(stream, [fresh, known], 0)).rejects.toThrow(AppendRefused);
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
      const revisions = results.map(
        (result) => (result as PromiseFulfilledResult<{ revision: number }>).value.revision,
      );
      expect(revisions.toSorted((a, b) => a - b)).toEqual(requests.map((_, n) => 2 * n + 1));
      const recorded = await all(store.readStream(stream));
      expect(recorded.map(({ revision }) => revision)).toEqual(recorded.map((_, n) => n));
      for (const [n, request] of requests.entries()) {
        const at = revisions[n]!;
        expect(recorded.slice(at - 1, at + 1).map(({ id }) => id)).toEqual(request.events.map(({ id }) => id));
      }
    });

    test('answers an empty list to an empty list of requests', async () => {
      expect(await store.appendMany([])).toEqual([]);
    });
  });
}
