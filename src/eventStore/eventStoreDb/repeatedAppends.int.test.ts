import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../tests/support/eventually.ts';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { createDoubleLog, type ProposedEvent } from '../../../tests/support/eventStoreDbDouble/log.ts';
import type { NewEvent } from '../../core/event.ts';
import {
  AppendRefused,
  EventStoreUnavailable,
  RevisionConflict,
  type AppendRequest,
  type AppendResult,
  type EventStore,
} from '../../core/eventStore.ts';
import { failure } from '../contract/support.ts';
import { all, someEvent, someEvents, someStream } from '../contract/eventStoreContract.ts';
import { createEventStoreDbStore } from './eventStoreDbEventStore.ts';

/** No try may fail because the machine is slow. */
const PATIENT_MS = 15_000;
/** The server's default is 2 000; this saves time. */
const COMMIT_TIMEOUT_MS = 300;
/** For appends that are to fail: not much more than the store allows. */
const SHORT_RETRY_MS = 600;
/** Memory for three ids in `someStream`. The server forgets older ones. */
const FEW_IDS_BYTES = 3 * (28 + 2 * someStream().length);

let double: EventStoreDbDouble;
let store: EventStore;

afterEach(async () => {
  await store.close();
  await double[Symbol.asyncDispose]();
});

async function open(idMemoryBytes: number): Promise<void> {
  double = await startEventStoreDbDouble({
    log: createDoubleLog({ idMemoryBytes }),
    behaviour: { commitTimeoutMs: COMMIT_TIMEOUT_MS },
  });
  store = openStore();
}

function openStore(retryForMs = PATIENT_MS): EventStore {
  return createEventStoreDbStore({
    url: double.url,
    appendTimeoutMs: PATIENT_MS,
    readTimeoutMs: PATIENT_MS,
    retryForMs,
  });
}

/** Appends of one event each, whose id is not brand-new. */
function views(stream: string, count: number): AppendRequest[] {
  return Array.from({ length: count }, () => ({ stream, events: [someEvent()], expected: 'any' }));
}

/** The event as another process sends it. */
function proposed({ id, type, data, metadata }: NewEvent): ProposedEvent {
  return {
    id,
    type,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.from(JSON.stringify(metadata)),
  };
}

async function appendAll(requests: readonly AppendRequest[]): Promise<AppendResult[]> {
  return (await store.appendMany(requests)).map((result) => (result as PromiseFulfilledResult<AppendResult>).value);
}

describe('appending many events whose ids may be there already', () => {
  beforeEach(() => open(FEW_IDS_BYTES));

  test('searches each stream once, however many appends go to it', async () => {
    const streams = Array.from({ length: 5 }, () => someStream());
    for (const stream of streams) double.log.append(stream, someEvents(300).map(proposed), 'noStream');
    await appendAll(streams.flatMap((stream) => views(stream, 10)));
    // Beside the search, the end of the stream is read after each append but the last. A second search comes when the
    // appends take longer than a search may be used.
    expect(double.faults.calls.read).toBeLessThanOrEqual((9 + 2) * streams.length);
    for (const stream of streams) expect(double.log.stream(stream)).toHaveLength(310);
  });

  test('answers a repeat as the first time, from this call or an earlier one, although the server has forgotten the id', async () => {
    const stream = someStream();
    const [before, now] = [views(stream, 20), views(stream, 20)];
    const first = await appendAll(before);
    const places = await appendAll([...now, ...before, ...now]);
    expect(places).toEqual([...places.slice(0, 20), ...first, ...places.slice(0, 20)]);
    expect(double.log.stream(stream).map(({ id }) => id)).toEqual(
      [...before, ...now].map(({ events }) => events[0]!.id),
    );
  });

  test('searches again after a failure: another process may have appended the same, and the server may have forgotten it', async () => {
    const stream = someStream();
    const [one, two, three] = views(stream, 3) as [AppendRequest, AppendRequest, AppendRequest];
    double.faults.plan('append', 'hangAfterwards');
    const appending = store.appendMany([one, two, three]);
    await eventually(() => double.log.stream(stream).length === 1, { what: 'the first one is written' });
    const { position } = double.log.append(stream, [proposed(three.events[0]!)], 'any') as { position: bigint };
    await double.kill();
    await double.revive();
    const results = await appending;
    expect(results).toMatchObject([
      { value: { revision: 0 } },
      { value: { revision: 2 } },
      { value: { revision: 1, position } },
    ]);
  });

  test('refuses only the append of which a part is there already', async () => {
    const stream = someStream();
    const [known, unknown] = [someEvent(), someEvent()];
    await store.append(stream, [known], 'none');
    await store.append(stream, someEvents(11), 'any');
    const results = await store.appendMany([
      ...views(stream, 1),
      { stream, events: [known, unknown], expected: 'any' },
      ...views(stream, 1),
    ]);
    expect(results).toMatchObject([
      { value: { revision: 12 } },
      { reason: expect.any(AppendRefused) },
      { value: { revision: 13 } },
    ]);
  });
});

describe('while the server has written an append and not indexed it,', () => {
  beforeEach(() => open(8 * 1_024 * 1_024));

  test.each(['none', 'any', 0] as const)(
    'an append that expects %s is stored once, and answered once it is indexed',
    async (expected) => {
      const stream = someStream();
      if (expected === 0) await store.append(stream, someEvents(1), 'none');
      const before = double.faults.calls.append;
      double.log.holdIndex();
      const appending = store.append(stream, someEvents(2), expected);
      // The first try is aborted, and the second one, which repeats it, is left without an answer.
      await eventually(() => double.faults.calls.append >= before + 2, { what: 'the append is tried again' });
      double.log.releaseIndex();
      expect(await appending).toMatchObject({ revision: expected === 0 ? 2 : 1 });
      expect(double.log.stream(stream)).toHaveLength(expected === 0 ? 3 : 2);
    },
  );

  test('an append is given up in time, and repeating it later stores nothing twice', async () => {
    const stream = someStream();
    const events = someEvents(2);
    await store.close();
    store = openStore(SHORT_RETRY_MS);
    double.log.holdIndex();
    expect(await failure(store.append(stream, events, 'any'))).toBeInstanceOf(EventStoreUnavailable);
    double.log.releaseIndex();
    expect(await store.append(stream, events, 'any')).toMatchObject({ revision: 1 });
    expect(double.log.stream(stream)).toHaveLength(2);
  });

  test('a conflict with it names the revision at which the stream is', async () => {
    const stream = someStream();
    double.log.holdIndex();
    double.log.append(stream, [proposed(someEvent())], 'noStream');
    const appending = failure(store.append(stream, someEvents(1), 'none'));
    await eventually(() => double.faults.calls.read >= 1, { what: 'the conflict is being checked' });
    double.log.releaseIndex();
    const error = await appending;
    expect(error).toBeInstanceOf(RevisionConflict);
    expect(error).toMatchObject({ actual: 0 });
  });

  test('a repeat is no conflict, even if the server has forgotten the ids', async () => {
    const stream = someStream();
    await store.append(stream, someEvents(1), 'none');
    const events = someEvents(2);
    const before = double.faults.calls.read;
    double.log.holdIndex();
    double.faults.plan('append', 'dropAfterwards');
    const appending = store.append(stream, events, 0);
    await eventually(() => double.log.lastRevision(stream) === 2n, { what: 'it is written' });
    double.log.forgetRecentIds();
    // Once before the first try, since the ids are not brand-new.
    await eventually(() => double.faults.calls.read >= before + 3, { what: 'the conflict is being checked' });
    double.log.releaseIndex();
    expect(await appending).toMatchObject({ revision: 2 });
    expect((await all(store.readStream(stream))).slice(1).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });
});
