import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { NewEvent, RecordedEvent } from '../../core/event.ts';
import type { EventBatch, EventStore } from '../../core/eventStore.ts';
import {
  all,
  expectRisingPositions,
  follow,
  of,
  someEvent,
  someEvents,
  someStream,
  type StoresUnderTest,
} from './support.ts';

/** What an event store promises about subscribing and closing. */
export function subscribingContract(stores: () => StoresUnderTest): void {
  let store: EventStore;
  let other: EventStore;
  beforeAll(() => {
    ({ store, other } = stores());
  });

  describe('subscribing', () => {
    test('gives the events in the log and then new ones, from every process, without gap or repeat', async () => {
      const stream = someStream();
      const after = await store.head();
      await store.append(stream, someEvents(5), 'any');
      await using subscription = follow(store, { after, batchSize: 3 });
      await subscription.until((events) => of(stream, events).length === 5);
      for (let n = 0; n < 20; n++) await (n % 2 === 0 ? store : other).append(stream, someEvents(1), 'any');
      await subscription.until((events) => of(stream, events).length === 25);
      expect(of(stream, subscription.events).map(({ revision }) => revision)).toEqual(
        Array.from({ length: 25 }, (_, n) => n),
      );
      expectRisingPositions(after, subscription.batches);
    });

    test('gives new events as the log has them, whichever process appended them', async () => {
      const stream = someStream();
      const after = await store.head();
      await using subscription = follow(store, { after });
      const data = {
        text: 'ä "quoted" \\ \u0001',
        at: new Date(0),
        missing: undefined,
        list: [1, undefined, { n: 1.5 }],
      };
      const events = (): NewEvent[] => [{ ...someEvent('Tested', data), id: randomUUID().toUpperCase() }, someEvent()];
      await store.append(stream, events(), 'none');
      await Promise.all([store.append(stream, events(), 'any'), other.append(stream, events(), 'any')]);
      await subscription.until((found) => of(stream, found).length === 6);
      expect(of(stream, subscription.events)).toStrictEqual(await all(store.readStream(stream)));
    });

    test('begins at a position in the middle', async () => {
      const stream = someStream();
      await store.append(stream, someEvents(3), 'any');
      const [, second] = await all(store.readStream(stream));
      await using subscription = follow(store, { after: second!.position });
      await subscription.until((events) => of(stream, events).length === 1);
      expect(of(stream, subscription.events)[0]).toMatchObject({ stream, revision: 2 });
    });

    test('gives only events of the given types', async () => {
      const stream = someStream();
      const wanted = `Wanted${randomUUID().replaceAll('-', '')}`;
      await using subscription = follow(store, { after: await store.head(), types: [wanted] });
      for (let n = 0; n < 6; n++)
        await other.append(stream, [someEvent(n % 3 === 0 ? wanted : 'Unwanted', { n })], 'any');
      await subscription.until((events) => events.length === 2);
      expect(subscription.events.map(({ data }) => data)).toEqual([{ n: 0 }, { n: 3 }]);
    });

    test('ends without an error when its signal aborts, while it waits or before it begins', async () => {
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

    test('lets a slow consumer slow down only its own subscription', async () => {
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
      const third = await stores().open();
      const waiting = all(third.subscribe({ after: await third.head() }));
      await third.close();
      await waiting;
    });
  });

  describe('closing', () => {
    test('finishes the appends under way', async () => {
      const third = await stores().open();
      const stream = someStream();
      const appends = Array.from({ length: 30 }, () => third.append(stream, someEvents(1), 'any'));
      await third.close();
      await Promise.all(appends);
      expect(await all(store.readStream(stream))).toHaveLength(30);
    });
  });
}
