import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../../../tests/support/eventually.ts';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import type { ProposedEvent } from '../../../tests/support/eventStoreDbDouble/log.ts';
import { EventStoreUnavailable, type EventBatch, type EventStore } from '../../core/eventStore.ts';
import { all, follow, someEvents, someStream, type Following } from '../contract/eventStoreContract.ts';
import { createEventStoreDbStore, type EventStoreDbStoreOptions } from './eventStoreDbEventStore.ts';

/** For reads that hang. */
const SHORT_TIMEOUT_MS = 500;
/** For reads that are to fail: not much more than the store allows. */
const SHORT_RETRY_MS = 600;
/** For the others: no read may fail because the machine is slow. */
const PATIENT_MS = 5_000;
const WATCHDOG_MS = 150;
/** A busy machine may add this much. */
const SLACK_MS = 10_000;

let double: EventStoreDbDouble;
let store: EventStore;

beforeEach(async () => {
  double = await startEventStoreDbDouble();
  store = openStore();
});

afterEach(async () => {
  await store.close();
  await double[Symbol.asyncDispose]();
});

function openStore(changes: Partial<EventStoreDbStoreOptions> = {}): EventStore {
  return createEventStoreDbStore({
    url: double.url,
    readTimeoutMs: PATIENT_MS,
    watchdogMs: WATCHDOG_MS,
    appendTimeoutMs: PATIENT_MS,
    ...changes,
  });
}

async function reopenStore(changes: Partial<EventStoreDbStoreOptions>): Promise<void> {
  await store.close();
  store = openStore(changes);
}

function proposed(type = 'Tested', text = '{}'): ProposedEvent {
  return {
    id: randomUUID(),
    type,
    contentType: 'application/json',
    data: Buffer.from(text),
    metadata: Buffer.from('{}'),
  };
}

function streamOf(following: Following, stream: string): number[] {
  return following.events.filter((event) => event.stream === stream).map(({ revision }) => revision);
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a subscription on EventStoreDB', () => {
  const troubles: [string, () => Promise<void> | void][] = [
    ['ends without an error', () => double.subscriptions.forEach((subscription) => subscription.end())],
    ['breaks', () => double.subscriptions.forEach((subscription) => subscription.fail())],
    ['hangs', () => double.subscriptions.forEach((subscription) => subscription.hang())],
    [
      'is lost with the server, which comes back on its port',
      async () => {
        await double.kill();
        await double.revive();
      },
    ],
  ];

  test.each(troubles)('goes on without gap or repeat when the server’s %s', async (_, trouble) => {
    const stream = someStream();
    await using subscription = follow(store, { after: await store.head() });
    for (let round = 0; round < 4; round++) {
      await store.append(stream, someEvents(3), 'any');
      await subscription.until(() => streamOf(subscription, stream).length === 6 * round + 3);
      await eventually(() => double.subscriptions.size > 0, { what: 'the live subscription is there' });
      await trouble();
      double.log.append(stream, [proposed(), proposed(), proposed()], 'any');
      await subscription.until(() => streamOf(subscription, stream).length === 6 * round + 6);
      await eventually(() => double.faults.calls.subscribe >= round + 2, {
        what: 'there is another live subscription',
      });
    }
    expect(streamOf(subscription, stream)).toEqual(Array.from({ length: 24 }, (_, n) => n));
  });

  test('survives a server that is away for a while, without the consumer noticing', async () => {
    await reopenStore({ retryForMs: SHORT_RETRY_MS });
    const stream = someStream();
    await using subscription = follow(store, { after: 0n });
    await store.append(stream, someEvents(2), 'none');
    await subscription.until(() => streamOf(subscription, stream).length === 2);
    await double.kill();
    expect(await failure(store.head())).toBeInstanceOf(EventStoreUnavailable);
    double.log.append(stream, [proposed()], 'any');
    await double.revive();
    await subscription.until(() => streamOf(subscription, stream).length === 3);
    expect(streamOf(subscription, stream)).toEqual([0, 1, 2]);
  });

  test('gives events although the server refuses live subscriptions, or accepts them and sends nothing', async () => {
    const stream = someStream();
    double.faults.plan('subscribe', 'drop', 2);
    double.faults.plan('subscribe', 'end', 2);
    double.faults.plan('subscribe', 'hang', 2);
    await using subscription = follow(store, { after: await store.head() });
    for (let n = 1; n <= 10; n++) {
      await store.append(stream, someEvents(1), 'any');
      await subscription.until(() => streamOf(subscription, stream).length === n);
    }
    expect(streamOf(subscription, stream)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('is one on the server, however many consumers there are', async () => {
    // A shorter watchdog could begin another one.
    await reopenStore({ watchdogMs: 5_000 });
    const stream = someStream();
    const after = await store.head();
    await using first = follow(store, { after });
    await using second = follow(store, { after, types: ['Tested'] });
    await using third = follow(store, { after, types: ['Nowhere'] });
    const { position } = await store.append(stream, someEvents(5), 'none');
    await Promise.all([first, second].map((one) => one.until(() => streamOf(one, stream).length === 5)));
    await eventually(() => third.batches.at(-1)?.position === position, {
      what: 'the third has passed what it does not want',
    });
    expect(double.faults.calls.subscribe).toBe(1);
  });

  test('reaches a lag of zero, whatever events the server writes itself and whichever types are wanted', async () => {
    const { position } = await store.append(someStream(), someEvents(2), 'none');
    for (let n = 0; n < 100; n++) double.log.append('$stats-127.0.0.1:2113', [proposed('$statsCollected')], 'any');
    double.log.append('pictures', [{ ...proposed('Drawn'), contentType: 'application/octet-stream' }], 'any');
    await using everything = follow(store, { after: 0n });
    await using nothing = follow(store, { after: 0n, types: ['Nowhere'] });
    for (const subscription of [everything, nothing]) {
      await eventually(() => subscription.batches.at(-1)?.position === position, {
        what: 'it has reached the last event',
      });
    }
    expect(await store.head()).toBe(position);
    expect(everything.events).toHaveLength(2);
    expect(await all(store.readAll({ after: position }))).toEqual([]);
  });

  test('lets a consumer that has fallen far behind read from the log', async () => {
    const stream = someStream();
    const slow = store.subscribe({ after: await store.head(), batchSize: 1_000 })[Symbol.asyncIterator]();
    await store.append(stream, someEvents(1), 'none');
    const seen = [...((await slow.next()).value as EventBatch).events];
    for (let n = 0; n < 60; n++)
      double.log.append(
        stream,
        Array.from({ length: 100 }, () => proposed()),
        'any',
      );
    while (seen.length < 6_001) seen.push(...((await slow.next()).value as EventBatch).events);
    await slow.return?.();
    expect(seen.every(({ revision }, n) => revision === n)).toBe(true);
  });

  test('ends and lets the store close at once, whatever the server does meanwhile', async () => {
    for (const trouble of [() => double.faults.plan('read', 'hang', 5), () => double.kill()]) {
      const busy = openStore();
      const abort = new AbortController();
      const [aborted, closed] = [
        all(busy.subscribe({ after: 0n, signal: abort.signal })),
        all(busy.subscribe({ after: 0n })),
      ];
      await trouble();
      abort.abort();
      await aborted;
      await busy.close();
      await closed;
      await double.revive();
      double.faults.clear();
    }
  });

  test('throws when it may not read the log, instead of trying for ever', async () => {
    double.faults.plan('subscribe', 'denied', 2);
    for (let n = 0; n < 2; n++) {
      expect(await failure(all(store.subscribe({ after: 0n })))).toMatchObject({
        message: expect.stringContaining('EVENTSTORE_URL'),
      });
    }
    await using subscription = follow(store, { after: 0n });
    await store.append(someStream(), someEvents(1), 'none');
    await subscription.until((events) => events.length === 1);
  });

  test('recovers from a dead connection', async () => {
    // The client warns on the console about such short intervals.
    const warning = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const watchful = openStore({ url: `${double.url}&keepAliveInterval=300&keepAliveTimeout=300` });
    warning.mockRestore();
    try {
      const stream = someStream();
      await using subscription = follow(watchful, { after: 0n });
      await watchful.append(stream, someEvents(1), 'none');
      await subscription.until(() => streamOf(subscription, stream).length === 1);
      double.freeze();
      double.log.append(stream, [proposed()], 'any');
      await subscription.until(() => streamOf(subscription, stream).length === 2);
      expect(await watchful.append(stream, someEvents(1), 1)).toMatchObject({ revision: 2 });
    } finally {
      await watchful.close();
    }
  });
});

describe('reading EventStoreDB', () => {
  test.each(['drop', 'hang', 'dropAfterwards', 'hangAfterwards', 'endAfterwards'] as const)(
    'gets past a read that meets with %s',
    async (fault) => {
      if (fault.startsWith('hang')) await reopenStore({ readTimeoutMs: SHORT_TIMEOUT_MS });
      const stream = someStream();
      const { position } = await store.append(stream, someEvents(10), 'none');
      double.faults.plan('read', fault);
      // A stream that ends early looks like a shorter stream, which cannot be noticed. In the log, the head shows it.
      if (fault !== 'endAfterwards') expect(await all(store.readStream(stream))).toHaveLength(10);
      expect(await store.head()).toBe(position);
      double.faults.clear();
      await store.head();
      const { read } = { ...double.faults.calls };
      const reading = store.readAll({ after: 0n, batchSize: 2 })[Symbol.asyncIterator]();
      const first = reading.next();
      await eventually(() => double.faults.calls.read > read, { what: 'the read of the head is on its way' });
      double.faults.plan('read', fault);
      const batches = [(await first).value as EventBatch];
      for (let next = await reading.next(); next.done !== true; next = await reading.next()) batches.push(next.value);
      expect(batches.flatMap(({ events }) => events).map(({ revision }) => revision)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
    },
  );

  test('fails as unavailable, in time, when the server is away or hangs', async () => {
    await reopenStore({ readTimeoutMs: SHORT_TIMEOUT_MS, retryForMs: SHORT_RETRY_MS });
    await store.append(someStream(), someEvents(1), 'none');
    await double.kill();
    expect(await failure(store.head())).toBeInstanceOf(EventStoreUnavailable);
    expect(await failure(all(store.readStream('a-1')))).toBeInstanceOf(EventStoreUnavailable);
    expect(await failure(all(store.readAll({ after: 0n })))).toBeInstanceOf(EventStoreUnavailable);
    await double.revive();
    double.faults.plan('read', 'hang', Infinity);
    const begun = performance.now();
    expect(await failure(store.head())).toBeInstanceOf(EventStoreUnavailable);
    expect(performance.now() - begun).toBeLessThan(3 * SHORT_TIMEOUT_MS + SLACK_MS);
  });

  test('cancels reads on the server that it leaves early, and closes at once', async () => {
    const connecting = jest.spyOn(EventStoreDBClient, 'connectionString');
    await reopenStore({});
    const dispose = jest.spyOn(connecting.mock.results[0]!.value as EventStoreDBClient, 'dispose');
    connecting.mockRestore();
    const stream = someStream();
    for (let n = 0; n < 30; n++)
      double.log.append(
        stream,
        Array.from({ length: 200 }, () => proposed()),
        'any',
      );
    for await (const _ of store.readStream(stream)) break;
    for await (const _ of store.readAll({ after: 0n, batchSize: 10 })) break;
    // At one of these lengths, the end and events that nobody took have already arrived when the read is left.
    for (let length = 30; length <= 40; length++) {
      const after = await store.head();
      for (let n = 0; n < length; n++) double.log.append(stream, [proposed()], 'any');
      for await (const _ of store.readAll({ after, batchSize: 2 })) {
        await eventually(() => double.reads === 0, { what: 'the server has sent everything' });
        break;
      }
    }
    // Reads of this kind are left early too, when everything that the server sends is already on its way.
    const [again, short] = [someEvents(1), someStream()];
    for (let n = 0; n < 3; n++) await store.append(short, again, 'any');
    await eventually(() => double.reads === 0, { what: 'the server has nothing more to do' });
    await store.close();
    // It waits for all calls to end. If one never ended, the store would have waited in vain.
    await dispose.mock.results[0]!.value;
    await double.idle();
  });

  test('finds the head before more of the server’s own events than one search covers', async () => {
    const { position } = await store.append(someStream(), someEvents(1), 'none');
    for (let n = 0; n < 60; n++)
      double.log.append(
        '$stats',
        Array.from({ length: 100 }, () => proposed('$statsCollected')),
        'any',
      );
    expect(await store.head()).toBe(position);
    const [{ read }] = [{ ...double.faults.calls }];
    expect(await store.head()).toBe(position);
    // It remembers how far it has searched.
    expect(double.faults.calls.read).toBe(read + 1);
    expect(await store.append(someStream(), someEvents(1), 'none')).toEqual({
      revision: 0,
      position: await store.head(),
    });
  });
});

describe.each([true, false])(
  'reading some types over a long way, from a server that says when it has caught up: %s',
  (saysCaughtUp) => {
    const WANTED = 25;

    /** Fills far more than is read without a filter, with a wanted event here and there, and one near the end. */
    async function fill(): Promise<{ positions: bigint[]; head: bigint }> {
      await store.close();
      await double[Symbol.asyncDispose]();
      double = await startEventStoreDbDouble({ behaviour: { saysCaughtUp } });
      store = openStore();
      const positions: bigint[] = [];
      for (let n = 0; n < WANTED; n++) {
        double.log.append(
          'noise',
          Array.from({ length: 400 }, () => proposed('Noise')),
          'any',
        );
        double.log.skipBytes(1_000_000n);
        double.log.append('noise', [proposed('WantedNot'), proposed('$Wanted')], 'any');
        positions.push((double.log.append('signal', [proposed('Wanted')], 'any') as { position: bigint }).position);
      }
      double.log.append('noise', [proposed('Noise')], 'any');
      return { positions, head: await store.head() };
    }

    test('lets the server filter, and gives each wanted event once, in order, up to the head', async () => {
      const { positions, head } = await fill();
      const batches: EventBatch[] = [];
      for await (const batch of store.readAll({ after: 0n, types: ['Wanted', 'Nowhere'], batchSize: 4 })) {
        batches.push(batch);
        // This consumer is so slow that checkpoints arrive before it has taken the events before them.
        for (let turns = 0; turns < 50; turns++) await setImmediate();
      }
      expect(batches.flatMap(({ events }) => events).map(({ position }) => position)).toEqual(positions);
      expect(
        batches.every(
          ({ events, position }) =>
            events.length <= 4 && position <= head && (events.at(-1)?.position ?? 0n) <= position,
        ),
      ).toBe(true);
      expect(batches.at(-1)!.position).toBe(head);
      expect(double.faults.calls.subscribe).toBe(1);
    });

    test('stops at the position given as the end', async () => {
      const { positions } = await fill();
      const batches = await all(store.readAll({ after: positions[3]!, until: positions[20]!, types: ['Wanted'] }));
      expect(batches.flatMap(({ events }) => events).map(({ position }) => position)).toEqual(positions.slice(4, 21));
      expect(batches.at(-1)!.position).toBe(positions[20]);
    });

    test.each(['drop', 'end', 'hang'] as const)(
      'reads without a filter when the filtered subscription meets with %s',
      async (fault) => {
        const { positions } = await fill();
        if (fault === 'hang') await reopenStore({ readTimeoutMs: SHORT_TIMEOUT_MS });
        double.faults.plan('subscribe', fault, Infinity);
        const batches = await all(store.readAll({ after: 0n, types: ['Wanted'] }));
        expect(batches.flatMap(({ events }) => events).map(({ position }) => position)).toEqual(positions);
      },
    );

    test('goes on from where it was when the filtered subscription breaks in the middle', async () => {
      const { positions } = await fill();
      const seen: bigint[] = [];
      for await (const { events } of store.readAll({ after: 0n, types: ['Wanted'], batchSize: 2 })) {
        seen.push(...events.map(({ position }) => position));
        double.subscriptions.forEach((subscription) => subscription.fail());
      }
      expect(seen).toEqual(positions);
    });
  },
);
