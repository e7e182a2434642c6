import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RecordedEvent } from '../../core/event.ts';
import { contentOf, eventHash } from '../../core/eventHash.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { all, someEvent, someEvents, someStream, type StoresUnderTest } from './support.ts';

/** What an event store promises about the hashes of events. */
export function hashingContract(stores: () => StoresUnderTest): void {
  let store: EventStore;
  let other: EventStore;
  beforeAll(() => {
    ({ store, other } = stores());
  });

  async function expectChain(stream: string, length: number): Promise<readonly RecordedEvent[]> {
    const events = await all(store.readStream(stream, { hashes: true }));
    expect(events).toHaveLength(length);
    let previous: string | undefined;
    for (const event of events) {
      // A store may set the time after the hash is made.
      const fitting = [event.time, undefined].map((time) => eventHash(previous, contentOf(event), time));
      expect(fitting).toContain(event.hash);
      previous = event.hash;
    }
    return events;
  }

  describe('hashing', () => {
    test('chains the events of a stream, over appends of several processes that expect a revision', async () => {
      const stream = someStream();
      const data = {
        text: 'ünïcode ✓ 🎬 "quoted" \\ \u0000 \n \ud800',
        at: new Date(0),
        missing: undefined,
        7: 1.5e300,
      };
      await store.append(stream, [someEvent('Tested', data), someEvent('Other')], 'none');
      await other.append(stream, someEvents(3), 1);
      await store.append(stream, someEvents(1), 4);
      await store.append(stream, someEvents(1), 5);
      await expectChain(stream, 7);
    });

    test('chains the events of writers without an expected revision, in several processes at once', async () => {
      const stream = someStream();
      const append = (n: number): Promise<unknown> =>
        n % 3 === 0
          ? store.append(stream, someEvents(2), 'any')
          : other.appendMany([1, 2].map(() => ({ stream, events: someEvents(1), expected: 'any' })));
      await Promise.all(Array.from({ length: 12 }, (_, n) => append(n)));
      await expectChain(stream, 24);
    });

    test('chains many appends to one stream that arrive together', async () => {
      const stream = someStream();
      const requests = Array.from({ length: 20 }, (_, n) => ({
        stream,
        events: someEvents(1 + (n % 3)),
        expected: 'any' as const,
      }));
      await store.appendMany(requests);
      await expectChain(stream, requests.flatMap(({ events }) => events).length);
    });

    test('keeps the hash of the first time when an append is repeated with other data, and goes on from it', async () => {
      const stream = someStream();
      const event = someEvent('Tested', { sealed: 'a' });
      const again = { ...event, data: { sealed: 'b' } };
      for (const expected of ['none', 'any'] as const) {
        await store.append(stream, [event], expected);
        await Promise.all([store.append(stream, [again], expected), other.append(stream, [again], expected)]);
      }
      await other.append(stream, someEvents(1), 'any');
      await store.append(stream, someEvents(1), 1);
      const [first] = await expectChain(stream, 3);
      expect(first).toMatchObject({ data: { sealed: 'a' } });
    });

    test('does not change the hashes when an append fails', async () => {
      const stream = someStream();
      await store.append(stream, someEvents(1), 'none');
      await Promise.allSettled([1, 2, 3, 4].map((n) => (n % 2 ? store : other).append(stream, someEvents(1), 0)));
      await store.append(stream, someEvents(1), 'any');
      await expectChain(stream, 3);
    });

    test('gives hashes only to readers that ask for them, of the log as of a stream', async () => {
      const stream = someStream();
      const after = await store.head();
      await store.append(stream, someEvents(3), 'none');
      expect((await all(store.readStream(stream))).filter((event) => 'hash' in event)).toEqual([]);
      const read = async (hashes: boolean, types?: readonly string[]): Promise<RecordedEvent[]> =>
        (await all(store.readAll({ after, hashes, ...(types && { types }) })))
          .flatMap(({ events }) => events)
          .filter((event) => event.stream === stream);
      expect((await read(false)).filter((event) => 'hash' in event)).toEqual([]);
      const hashed = await all(store.readStream(stream, { hashes: true }));
      expect(await read(true)).toEqual(hashed);
      expect(await read(true, ['Tested'])).toEqual(hashed);
    });
  });
}
