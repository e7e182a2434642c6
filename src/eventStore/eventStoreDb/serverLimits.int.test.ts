import { afterEach, describe, expect, test } from '@jest/globals';
import {
  from25_1,
  STREAMS_PER_CONNECTION,
  upTo25_0,
  type Behaviour,
} from '../../../tests/support/eventStoreDbDouble/behaviour.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import type { ProposedEvent } from '../../../tests/support/eventStoreDbDouble/log.ts';
import type { NewEvent, RecordedEvent } from '../../core/event.ts';
import { failure } from '../contract/support.ts';
import { AppendRefused, type EventStore } from '../../core/eventStore.ts';
import { all, follow, someEvent, someEvents, someStream } from '../contract/eventStoreContract.ts';
import { createEventStoreDbStore, type EventStoreDbStoreOptions } from './eventStoreDbEventStore.ts';

/** No call may fail because the machine is slow. */
const PATIENT_MS = 15_000;
/** Largest event that the stores accept (`preparedAppend.ts`). */
const MOST_EVENT_BYTES = 1_000_000;

let double: EventStoreDbDouble;
let store: EventStore;

afterEach(async () => {
  await store.close();
  await double[Symbol.asyncDispose]();
});

async function open(behaviour: Partial<Behaviour>, changes: Partial<EventStoreDbStoreOptions> = {}): Promise<void> {
  double = await startEventStoreDbDouble({ behaviour });
  store = createEventStoreDbStore({
    url: double.url,
    appendTimeoutMs: PATIENT_MS,
    readTimeoutMs: PATIENT_MS,
    ...changes,
  });
}

/** An event whose data and metadata have so many bytes as JSON. */
function eventOf(bytes: number): NewEvent {
  const event = someEvent('Tested', { text: '' });
  const empty = JSON.stringify(event.data).length + JSON.stringify(event.metadata).length;
  return { ...event, data: { text: 'x'.repeat(bytes - empty) } };
}

function proposed(type = 'Tested'): ProposedEvent {
  return {
    id: crypto.randomUUID(),
    type,
    contentType: 'application/json',
    data: Buffer.from('{}'),
    metadata: Buffer.from('{}'),
  };
}

function manyProposed(count: number): ProposedEvent[] {
  return Array.from({ length: count }, () => proposed());
}

describe('the size limits of the server', () => {
  test.each([
    ['25.0', upTo25_0],
    ['25.1', from25_1],
  ])('allow the largest event that a store takes, up to or from %s', async (_version, behaviour) => {
    await open(behaviour);
    const stream = someStream();
    expect(await store.append(stream, [eventOf(MOST_EVENT_BYTES)], 'none')).toMatchObject({ revision: 0 });
    expect(await failure(store.append(stream, [eventOf(MOST_EVENT_BYTES + 1)], 0))).toBeInstanceOf(AppendRefused);
    expect(double.faults.calls.append).toBe(1);
  });

  test('refuse only the append that is too large as a whole, at once, and the error names the limit', async () => {
    await open(upTo25_0);
    const streams = [someStream(), someStream(), someStream()];
    const large = Array.from({ length: 12 }, () => eventOf(100_000));
    const results = await store.appendMany(
      streams.map((stream, n) => ({ stream, events: n === 1 ? large : someEvents(2), expected: 'none' })),
    );
    expect(results).toMatchObject([
      { value: { revision: 1 } },
      { reason: expect.any(AppendRefused) },
      { value: { revision: 1 } },
    ]);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ message: expect.stringContaining('1048576') });
    expect(double.faults.calls.append).toBe(3);
    expect(double.log.stream(streams[1]!)).toEqual([]);
  });

  test('refuse only an event that is over the limit of an operator, at once, and the error names the limit', async () => {
    await open({ ...from25_1, maxEventBytes: 50_000 });
    const stream = someStream();
    const error = await failure(store.append(stream, [someEvent(), eventOf(60_000)], 'any'));
    expect(error).toBeInstanceOf(AppendRefused);
    expect(error).toMatchObject({ message: expect.stringMatching(/Maximum Append Event Size of 50000/) });
    expect(double.faults.calls.append).toBe(1);
    expect(await store.append(stream, [someEvent(), eventOf(40_000)], 'none')).toMatchObject({ revision: 1 });
  });
});

describe('a live subscription that cannot keep up', () => {
  test.each([
    ['is aborted by the server with "Consumer too slow"', true],
    ['is told that it fell behind, and later that it has caught up again', false],
  ])('%s, and gives every event once and in order', async (_, abortsSlowConsumers) => {
    await open({ abortsSlowConsumers });
    const stream = someStream();
    await using everything = follow(store, { after: await store.head() });
    await using wanted = follow(store, { after: await store.head(), types: ['Tested'] });
    for (let round = 1; round <= 3; round++) {
      await store.append(stream, someEvents(1), 'any');
      for (const one of [everything, wanted]) await one.until((events) => events.length === round * 201 - 200);
      // More at once than the server buffers for a subscription.
      double.log.append(stream, manyProposed(200), 'any');
      for (const one of [everything, wanted]) await one.until((events) => events.length === round * 201);
    }
    const revisions = Array.from({ length: 3 * 201 }, (_, n) => n);
    for (const { events } of [everything, wanted]) expect(events.map(({ revision }) => revision)).toEqual(revisions);
    if (abortsSlowConsumers) expect(double.faults.calls.subscribe).toBeGreaterThan(1);
    else expect(double.faults.calls.subscribe).toBe(1);
  });

  test('gives every event even when it is aborted again and again', async () => {
    // The watchdog also bounds the pause before a new subscription.
    await open({ abortsSlowConsumers: true }, { watchdogMs: 50 });
    const stream = someStream();
    await using everything = follow(store, { after: await store.head() });
    for (let n = 0; n < 30; n++) {
      double.log.append(stream, manyProposed(100), 'any');
      await everything.until((events) => events.length >= 100 * n);
    }
    await everything.until((events) => events.length === 3_000);
    expect(everything.events.map(({ revision }) => revision)).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  });
});

describe('reading a long distance of the log', () => {
  test.each([0, 1, 31, 32, 33, 64, 700])(
    'gives every wanted event, the last one %s events from the end, with checkpoints at the ends of pages only',
    async (fromEnd) => {
      await open({ pageLatencyMs: 1 });
      const stream = someStream();
      const total = 5_000;
      const at = [0, 31, 32, 2_048, total - 1 - fromEnd];
      // Long enough for the server to filter.
      for (let n = 0; n < total; n++) {
        double.log.append(stream, [proposed(at.includes(n) ? 'Wanted' : 'Other')], 'any');
        double.log.skipBytes(4_096n);
      }
      const batches = await all(store.readAll({ after: 0n, types: ['Wanted'] }));
      const revisions = [...new Set(at)].toSorted((a, b) => a - b);
      expect(batches.flatMap(({ events }) => events).map(({ revision }) => revision)).toEqual(revisions);
      expect(batches.at(-1)!.position).toBe(await store.head());
      expect(double.faults.calls.subscribe).toBe(1);
    },
  );
});

test('appends do not wait behind more reads than the server takes on one connection', async () => {
  await open({});
  const stream = someStream();
  await store.append(stream, someEvents(1), 'none');
  double.faults.plan('read', 'hang', STREAMS_PER_CONNECTION);
  const reading = new AbortController();
  const reads = Array.from({ length: 2 * STREAMS_PER_CONNECTION }, () =>
    all(store.readStream(stream, { signal: reading.signal })),
  );
  try {
    await eventually(() => double.reads >= STREAMS_PER_CONNECTION, { what: 'the connection is full' });
    // Less than the time limit of one try. The first append also searches for its id.
    const begun = performance.now();
    await store.append(stream, someEvents(1), 'any');
    await store.append(someStream(), someEvents(1), 'none');
    expect(performance.now() - begun).toBeLessThan(PATIENT_MS);
  } finally {
    reading.abort();
    await Promise.allSettled(reads);
  }
});

test('a slow consumer keeps no call open on the server, since a connection takes only a limited number of calls', async () => {
  await open({});
  const stream = someStream();
  double.log.append(stream, manyProposed(3_000), 'noStream');
  const readers = Array.from({ length: 20 }, () => store.readStream(stream)[Symbol.asyncIterator]());
  try {
    await Promise.all(readers.map((reader) => reader.next()));
    await eventually(() => double.reads === 0, { what: 'the calls have ended' });
    const [first] = readers as [AsyncIterator<RecordedEvent>];
    for (let revision = 1; revision < 3_000; revision++) expect((await first.next()).value).toMatchObject({ revision });
    expect(await first.next()).toMatchObject({ done: true });
  } finally {
    await Promise.all(readers.map((reader) => reader.return!()));
  }
});

test('each event of one append has its own position, from which a reader can continue', async () => {
  await open({});
  const stream = someStream();
  const { position } = await store.append(stream, someEvents(5), 'none');
  const recorded = await all(store.readStream(stream));
  expect(recorded.at(-1)).toMatchObject({ position });
  for (const event of recorded) {
    await using live = follow(store, { after: event.position });
    const rest = recorded.slice(event.revision + 1);
    expect((await all(store.readAll({ after: event.position }))).flatMap(({ events }) => events)).toEqual(rest);
    await live.until((events) => events.length === rest.length);
    expect(live.events).toEqual(rest);
  }
});
