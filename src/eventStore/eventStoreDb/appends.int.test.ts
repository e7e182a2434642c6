import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { eventually } from '../../../tests/support/eventually.ts';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { createDoubleLog } from '../../../tests/support/eventStoreDbDouble/log.ts';
import type { NewEvent } from '../../core/event.ts';
import { AppendRefused, EventStoreUnavailable, RevisionConflict, type EventStore } from '../../core/eventStore.ts';
import { all, someEvent, someEvents, someStream } from '../contract/eventStoreContract.ts';
import { checkStream } from '../integrity/checkLog.ts';
import { createEventStoreDbStore, type EventStoreDbStoreOptions } from './eventStoreDbEventStore.ts';

/** For tries that get an answer: so long that none fails because the machine is slow. */
const PATIENT_MS = 15_000;
/** For tries that get no answer. When a slow machine makes another try fail as well, the append is tried once more. */
const SHORT_TIMEOUT_MS = 500;
/** For appends that are to fail: not much more than the store allows. */
const SHORT_RETRY_MS = 600;
/** A busy machine may add this much. */
const SLACK_MS = 10_000;

let double: EventStoreDbDouble;
let store: EventStore;

afterEach(async () => {
  await store.close();
  await double[Symbol.asyncDispose]();
});

function freshEvent(): NewEvent {
  return { ...someEvent(), id: v7() };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a store on EventStoreDB', () => {
  beforeEach(async () => {
    double = await startEventStoreDbDouble();
    store = openStore();
  });

  function openStore(changes: Partial<EventStoreDbStoreOptions> = {}): EventStore {
    const patient = { appendTimeoutMs: PATIENT_MS, readTimeoutMs: PATIENT_MS, retryForMs: PATIENT_MS };
    return createEventStoreDbStore({ url: double.url, ...patient, ...changes });
  }

  async function reopenStore(changes: Partial<EventStoreDbStoreOptions>): Promise<void> {
    await store.close();
    store = openStore(changes);
  }

  test('makes a call of its own for each append, although the server announces batches', async () => {
    await Promise.all(Array.from({ length: 5 }, () => store.append(someStream(), someEvents(1), 'none')));
    expect(double.faults.calls.append).toBe(5);
  });

  const troubles = ['hang', 'hangAfterwards', 'drop', 'dropAfterwards', 'busy'] as const;
  const cases = troubles.flatMap((fault) =>
    (['none', 'any', 0] as const).map((expected) => [fault, expected] as const),
  );

  test.each(cases)('writes an append once when its first try meets with %s, expecting %s', async (fault, expected) => {
    if (fault.startsWith('hang')) await reopenStore({ appendTimeoutMs: SHORT_TIMEOUT_MS });
    const stream = someStream();
    if (expected === 0) await store.append(stream, someEvents(1), 'none');
    const events = [freshEvent(), freshEvent()];
    double.faults.plan('append', fault);
    const { revision, position } = await store.append(stream, events, expected);
    const recorded = await all(store.readStream(stream));
    expect(recorded.slice(-2).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(recorded).toHaveLength(expected === 0 ? 3 : 2);
    expect(recorded.at(-1)).toMatchObject({ revision, position });
  });

  test('gives up in time on a server that never answers, and finds the events when the append is repeated', async () => {
    const stream = someStream();
    const events = [freshEvent()];
    await reopenStore({ appendTimeoutMs: SHORT_TIMEOUT_MS, retryForMs: SHORT_RETRY_MS });
    double.faults.plan('append', 'hang', 2);
    double.faults.plan('append', 'hangAfterwards');
    const begun = performance.now();
    const error = await failure(store.append(stream, events, 'any'));
    expect(error).toBeInstanceOf(EventStoreUnavailable);
    // Three tries and the pauses between them.
    expect(performance.now() - begun).toBeLessThan(3 * SHORT_TIMEOUT_MS + SLACK_MS);
    await reopenStore({});
    double.faults.clear();
    double.log.forgetRecentIds();
    expect(await store.append(stream, events, 'any')).toMatchObject({ revision: 0 });
    expect(await all(store.readStream(stream))).toHaveLength(1);
  });

  test('fails as unavailable when the port refuses, although the client passes on the error of gRPC', async () => {
    await reopenStore({ retryForMs: SHORT_RETRY_MS });
    await double.kill();
    const error = (await failure(store.append(someStream(), someEvents(1), 'none'))) as Error;
    expect(error).toBeInstanceOf(EventStoreUnavailable);
    expect(error.cause).toMatchObject({ code: 14 });
    await double.revive();
    expect(await store.append(someStream(), someEvents(1), 'none')).toMatchObject({ revision: 0 });
  });

  test('reports the true revision of a conflict, even where the client would report a wrong one', async () => {
    const lenient = createEventStoreDbStore({ url: `${double.url}&throwOnAppendFailure=false` });
    try {
      const stream = someStream();
      await lenient.append(stream, someEvents(5), 'none');
      expect(await failure(lenient.append(stream, someEvents(1), 2))).toMatchObject({
        name: 'RevisionConflict',
        expected: 2,
        actual: 4,
      });
      expect(await failure(lenient.append(someStream(), someEvents(1), 2))).toMatchObject({
        name: 'RevisionConflict',
        actual: undefined,
      });
    } finally {
      await lenient.close();
    }
  });

  test('believes a conflict that the server wrongly reports, and says at which revision the stream is', async () => {
    const stream = someStream();
    await store.append(stream, someEvents(2), 'none');
    double.faults.plan('append', 'conflict');
    const error = await failure(store.append(stream, someEvents(1), 1));
    expect(error).toBeInstanceOf(RevisionConflict);
    expect(error).toMatchObject({ expected: 1, actual: 1 });
  });

  test('appends each of many exactly once when the call breaks in the middle of them', async () => {
    const streams = Array.from({ length: 40 }, () => someStream());
    double.faults.plan('append', 'drop');
    double.faults.plan('append', 'dropAfterwards');
    const results = await store.appendMany(
      streams.map((stream) => ({ stream, events: [freshEvent()], expected: 'any' })),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    for (const stream of streams) expect(double.log.stream(stream)).toHaveLength(1);
  });

  test('recognises repeats that a restarted server does not, among the last events of the stream, and with none always', async () => {
    const stream = someStream();
    const [first, second] = [someEvents(2), someEvents(2)];
    const place = await store.append(stream, first, 'any');
    await store.append(stream, second, 'any');
    double.log.forgetRecentIds();
    expect(await store.append(stream, first, 'any')).toEqual(place);
    expect(await store.append(stream, first, 3)).toEqual(place);
    expect(await failure(store.append(stream, [first[1]!, first[0]!], 'any'))).toBeInstanceOf(AppendRefused);
    expect(await failure(store.append(stream, [second[1]!, someEvent()], 'any'))).toBeInstanceOf(AppendRefused);
    expect(await all(store.readStream(stream))).toHaveLength(4);
    await store.append(stream, someEvents(300), 'any');
    expect(await store.append(stream, first, 'none')).toEqual(place);
  });

  test('recognises a repeat at another expected revision than the first time', async () => {
    const stream = someStream();
    const [first, second] = [[freshEvent()], [freshEvent(), freshEvent()]];
    await store.append(stream, first, 'none');
    const place = await store.append(stream, second, 0);
    expect(await store.append(stream, second, 'none')).toEqual(place);
    expect(await store.append(stream, second, 7)).toEqual(place);
    expect(await all(store.readStream(stream))).toHaveLength(3);
  });

  test('searches only for ids that are not brand-new, and reads the end of a stream that it does not know', async () => {
    const stream = someStream();
    await store.append(stream, [freshEvent()], 'any');
    expect(double.faults.calls.read).toBe(1);
    await store.append(stream, [freshEvent()], 'any');
    await store.append(stream, [freshEvent()], 1);
    await store.append(someStream(), [freshEvent()], 'none');
    expect(double.faults.calls.read).toBe(1);
    await store.append(stream, [someEvent()], 'any');
    expect(double.faults.calls.read).toBe(2);
  });

  test('needs no read of its own to append to a stream that was just read', async () => {
    const [stream, writer] = [someStream(), openStore()];
    await writer.append(stream, [freshEvent(), freshEvent()], 'none');
    await writer.close();
    await all(store.readStream(stream));
    const { read } = double.faults.calls;
    await store.append(stream, [freshEvent()], 1);
    expect(double.faults.calls.read).toBe(read);
  });

  test('appends with any after an event that another process has appended meanwhile', async () => {
    const stream = someStream();
    const writer = openStore();
    await store.append(stream, [freshEvent()], 'any');
    await writer.append(stream, [freshEvent()], 'any');
    expect(await store.append(stream, [freshEvent()], 'any')).toMatchObject({ revision: 2 });
    await writer.close();
    expect((await checkStream(store, stream)).broken).toBeUndefined();
  });

  test('finishes the appends under way before it closes, and takes none afterwards', async () => {
    double.faults.plan('append', 'drop');
    const last = store.append(someStream(), someEvents(1), 'none');
    await store.close();
    expect(await last).toMatchObject({ revision: 0 });
    expect(await failure(store.append(someStream(), someEvents(1), 'none'))).toBeInstanceOf(EventStoreUnavailable);
    expect(await failure(store.head())).toBeInstanceOf(EventStoreUnavailable);
    expect(await failure(all(store.readStream(someStream())))).toBeInstanceOf(EventStoreUnavailable);
    await double.idle();
  });

  test('names no stream in an error, since its name can be the name of a person', async () => {
    await reopenStore({ retryForMs: SHORT_RETRY_MS });
    await double.kill();
    const error = (await failure(store.append('username-ada', someEvents(1), 'none'))) as Error;
    expect(`${error.message} ${(error.cause as Error).message}`).not.toContain('ada');
  });
});

describe('a store on EventStoreDB', () => {
  test('does not let one append that hangs delay others, nor one that fails make others fail', async () => {
    double = await startEventStoreDbDouble();
    store = createEventStoreDbStore({ url: double.url, appendTimeoutMs: 3_000 });
    double.faults.plan('append', 'hang');
    double.faults.plan('append', 'drop');
    let hangs = true;
    const slow = store.append(someStream(), someEvents(1), 'none').finally(() => (hangs = false));
    await eventually(() => double.faults.calls.append === 1, { what: 'it is the one that hangs' });
    await Promise.all(Array.from({ length: 10 }, () => store.append(someStream(), someEvents(1), 'none')));
    expect(hangs).toBe(true);
    await slow;
    // Two of the eleven appends needed a second try, and no other did.
    expect(double.faults.calls.append).toBe(13);
  });

  test('appends once, with any, when the server wrote the events, broke the call and forgot the ids', async () => {
    double = await startEventStoreDbDouble({ log: createDoubleLog({ idMemoryBytes: 0 }) });
    store = createEventStoreDbStore({ url: double.url });
    const stream = someStream();
    double.faults.plan('append', 'dropAfterwards');
    expect(await store.append(stream, [freshEvent()], 'any')).toMatchObject({ revision: 0 });
    expect(double.log.stream(stream)).toHaveLength(1);
  });

  test('fails at once when it may not write', async () => {
    double = await startEventStoreDbDouble();
    store = createEventStoreDbStore({ url: double.url });
    double.faults.plan('append', 'denied');
    expect(await failure(store.append(someStream(), someEvents(1), 'none'))).toMatchObject({
      message: expect.stringContaining('EVENTSTORE_URL'),
    });
    expect(double.faults.calls.append).toBe(1);
  });

  test('refuses data that cannot be written as JSON before the client does, which would end the process', async () => {
    double = await startEventStoreDbDouble();
    store = createEventStoreDbStore({ url: double.url });
    expect(await failure(store.append(someStream(), [someEvent('Tested', { at: 1n })], 'none'))).toBeInstanceOf(
      AppendRefused,
    );
  });

  test('finds the leader of a cluster by gossip, and follows when another node is elected', async () => {
    const log = createDoubleLog();
    double = await startEventStoreDbDouble({ log });
    await using next = await startEventStoreDbDouble({ log });
    next.follow(double);
    store = createEventStoreDbStore({ url: `esdb://127.0.0.1:${double.port},127.0.0.1:${next.port}?tls=false` });
    const stream = someStream();
    await store.append(stream, someEvents(1), 'none');
    expect([double.faults.calls.append, next.faults.calls.append]).toEqual([1, 0]);
    next.follow(undefined);
    double.follow(next);
    await store.append(stream, someEvents(1), 0);
    expect(next.faults.calls.append).toBe(1);
    expect(await all(store.readStream(stream))).toHaveLength(2);
  });

  test('refuses a URL that is not a connection string', () => {
    expect(() => createEventStoreDbStore({ url: 'http://127.0.0.1:2113' })).toThrow('esdb://');
  });

  test('leaves no connection open', async () => {
    double = await startEventStoreDbDouble();
    store = createEventStoreDbStore({ url: double.url });
    await store.append(someStream(), someEvents(1), 'none');
    expect(double.connections).toBeGreaterThan(0);
    await store.close();
    await double.idle();
    expect(double.connections).toBe(0);
  });
});
