import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../tests/support/eventually.ts';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import {
  all,
  expectRisingPositions,
  failure,
  mine,
  of,
  someEvent,
  someEvents,
  someStream,
  type StoresUnderTest,
} from './support.ts';

/** What an event store promises about reading. */
export function readingContract(stores: () => StoresUnderTest): void {
  let store: EventStore;
  let other: EventStore;
  beforeAll(() => {
    ({ store, other } = stores());
  });

  describe('reading a stream', () => {
    test('gives no events for a stream that does not exist', async () => {
      expect(await all(store.readStream(someStream()))).toEqual([]);
    });

    test('begins at the given revision, and reads over several pages', async () => {
      const stream = someStream();
      const events = someEvents(1_100);
      await store.append(stream, events, 'none');
      const recorded = await all(store.readStream(stream, { from: 20 }));
      expect(recorded.map(({ id }) => id)).toEqual(events.slice(20).map(({ id }) => id));
      expect(await all(store.readStream(stream, { from: 1_100 }))).toEqual([]);
    });

    test('sees at once the events that any process has appended', async () => {
      const stream = someStream();
      for (let n = 1; n <= 20; n++) {
        await (n % 2 === 0 ? store : other).append(stream, someEvents(1), 'any');
        expect(await all((n % 2 === 0 ? other : store).readStream(stream))).toHaveLength(n);
      }
    });

    test('throws the reason of its signal when the signal aborts', async () => {
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
    test('gives all events after a position, in the order of positions, in batches of the given size', async () => {
      const after = await store.head();
      const streams = [someStream(), someStream(), someStream()];
      for (let n = 0; n < 30; n++) await store.append(streams[n % 3]!, someEvents(1), 'any');
      const batches = await all(store.readAll({ after, batchSize: 7 }));
      const events = batches.flatMap((batch) => batch.events);
      expect(batches.every((batch) => batch.events.length <= 7)).toBe(true);
      expectRisingPositions(after, batches);
      for (const stream of streams) {
        expect(of(stream, events)).toHaveLength(10);
        expect(of(stream, events)).toEqual(await all(store.readStream(stream)));
      }
    });

    test('ends at the head', async () => {
      await store.append(someStream(), someEvents(1), 'any');
      const events = (await all(store.readAll({ after: await store.head() }))).flatMap((batch) => batch.events);
      expect(events.filter(({ type }) => type === 'Tested')).toEqual([]);
    });

    test('stops at the given position, that event included', async () => {
      const stream = someStream();
      const after = await store.head();
      const first = await store.append(stream, someEvents(5), 'any');
      await store.append(stream, someEvents(5), 'any');
      const batches = await all(store.readAll({ after, until: first.position }));
      expect(
        of(
          stream,
          batches.flatMap((batch) => batch.events),
        ).map(({ revision }) => revision),
      ).toEqual([0, 1, 2, 3, 4]);
      expect(batches.every(({ position }) => position <= first.position)).toBe(true);
    });

    test('gives only events of the given types, and still reports its position', async () => {
      const stream = someStream();
      const wanted = `Wanted${randomUUID().replaceAll('-', '')}`;
      const after = await store.head();
      for (let n = 0; n < 20; n++)
        await store.append(stream, [someEvent(n % 5 === 0 ? wanted : 'Unwanted', { n })], 'any');
      const { position: end } = await store.append(stream, [someEvent('Unwanted')], 'any');
      const batches = await all(store.readAll({ after, types: [wanted, 'Nowhere'], batchSize: 2 }));
      expect(batches.flatMap((batch) => batch.events).map(({ data }) => data)).toEqual([
        { n: 0 },
        { n: 5 },
        { n: 10 },
        { n: 15 },
      ]);
      expectRisingPositions(after, batches);
      expect(batches.at(-1)!.position).toBeGreaterThanOrEqual(end);
    });

    test('gives the same events again, also from the middle', async () => {
      const after = await store.head();
      await store.append(someStream(), someEvents(9), 'any');
      const once = mine(await all(store.readAll({ after, batchSize: 2 })));
      expect(mine(await all(other.readAll({ after })))).toEqual(once);
      expect(mine(await all(store.readAll({ after: once[3]!.position })))).toEqual(once.slice(4));
    });

    test('throws the reason of its signal when the signal aborts', async () => {
      const after = await store.head();
      await store.append(someStream(), someEvents(9), 'any');
      const reason = new Error('enough');
      const abort = new AbortController();
      const reading = (async () => {
        for await (const _ of store.readAll({ after, batchSize: 1, signal: abort.signal })) abort.abort(reason);
      })();
      expect(await failure(reading)).toBe(reason);
    });

    test('can be left early', async () => {
      const after = await store.head();
      await store.append(someStream(), someEvents(9), 'any');
      for await (const batch of store.readAll({ after, batchSize: 2 })) {
        expect(batch.events.length).toBeLessThanOrEqual(2);
        break;
      }
      expect(mine(await all(store.readAll({ after }))).length).toBeGreaterThanOrEqual(9);
    });

    test('finds the position before a time', async () => {
      const { position: before } = await store.append(someStream(), someEvents(3), 'any');
      const last = (await all(store.readAll({ after: before - 1n }))).flatMap(({ events }) => events).at(-1)!;
      await eventually(() => Date.now() > last.time.getTime() + 1, { what: 'the next event has a later time' });
      const between = new Date();
      await eventually(() => Date.now() > between.getTime() + 1, { what: 'the next event has a later time' });
      const { position: after } = await store.append(someStream(), someEvents(5), 'any');
      const found = await store.positionBefore(between);
      expect(found).toBeGreaterThanOrEqual(last.position);
      expect(found).toBeLessThan(after);
      const rest = (await all(store.readAll({ after: found }))).flatMap(({ events }) => events);
      expect(rest.every(({ time }) => time >= between)).toBe(true);
      expect(await store.positionBefore(new Date(0))).toBe(0n);
      expect(await store.positionBefore(new Date(Date.now() + 60_000))).toBe(await store.head());
    });

    test('has a head that includes the last append', async () => {
      const { position } = await store.append(someStream(), someEvents(3), 'any');
      expect(await store.head()).toBeGreaterThanOrEqual(position);
      expect(await other.head()).toBeGreaterThanOrEqual(position);
    });
  });
}
