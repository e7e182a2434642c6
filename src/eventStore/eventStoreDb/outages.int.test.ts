import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../../tests/support/eventually.ts';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { createDoubleLog } from '../../../tests/support/eventStoreDbDouble/log.ts';
import { EventStoreUnavailable, type EventStore } from '../../core/eventStore.ts';
import { all, follow, someEvents, someStream } from '../contract/eventStoreContract.ts';
import { closeChannel } from './client.ts';
import { createEventStoreDbStore, type EventStoreDbStoreOptions } from './eventStoreDbEventStore.ts';

/** No call may fail because the machine is slow. */
const PATIENT_MS = 15_000;
/** For calls that are to fail: not much more than the store allows. */
const SHORT_RETRY_MS = 600;
/** Tries that fail in an election of three seconds (`pauseAfter`). */
const LONG_ELECTION_TRIES = 5;
const SHORT_ELECTION_TRIES = 2;

let opened: AsyncDisposableStack | undefined;

afterEach(async () => {
  await opened?.disposeAsync();
  opened = undefined;
});

async function startDouble(options?: Parameters<typeof startEventStoreDbDouble>[0]): Promise<EventStoreDbDouble> {
  return (opened ??= new AsyncDisposableStack()).use(await startEventStoreDbDouble(options));
}

function openStore(options: EventStoreDbStoreOptions): EventStore {
  const store = createEventStoreDbStore({ appendTimeoutMs: PATIENT_MS, readTimeoutMs: PATIENT_MS, ...options });
  (opened ??= new AsyncDisposableStack()).defer(() => store.close());
  return store;
}

describe('appending to EventStoreDB', () => {
  test.each([
    ['short', 'notReady', SHORT_ELECTION_TRIES],
    ['short', 'noLeader', SHORT_ELECTION_TRIES],
    ['long', 'notReady', LONG_ELECTION_TRIES],
  ] as const)('succeeds after a %s election in which the server answers %s', async (_, fault, tries) => {
    const double = await startDouble();
    const store = openStore({ url: double.url });
    double.faults.plan('append', fault, tries);
    expect(await store.append(someStream(), someEvents(1), 'none')).toMatchObject({ revision: 0 });
    expect(double.faults.calls.append).toBe(tries + 1);
  });

  test('goes from a follower to the leader that the follower names', async () => {
    const log = createDoubleLog();
    const [follower, leader] = [await startDouble({ log }), await startDouble({ log })];
    follower.follow(leader);
    const store = openStore({ url: follower.url });
    const stream = someStream();
    await store.append(stream, someEvents(1), 'none');
    expect(await store.append(stream, someEvents(1), 0)).toMatchObject({ revision: 1 });
    expect([follower.faults.calls.append, leader.faults.calls.append]).toEqual([0, 2]);
  });

  test('asks the follower again while the leader that it names is dead, and succeeds once the leader is back', async () => {
    const log = createDoubleLog();
    const [follower, leader] = [await startDouble({ log }), await startDouble({ log })];
    follower.follow(leader);
    await leader.kill();
    const store = openStore({ url: follower.url });
    const appended = store.append(someStream(), someEvents(1), 'none');
    await eventually(() => follower.refused >= 2, { what: 'the store has asked the follower again' });
    await leader.revive();
    expect(await appended).toMatchObject({ revision: 0 });
  });

  test('gives up during an election that does not end, with more than one address, and recovers afterwards', async () => {
    const log = createDoubleLog();
    const nodes = [await startDouble({ log }), await startDouble({ log })] as const;
    for (const node of nodes) node.elect();
    const store = openStore({
      url: `esdb://127.0.0.1:${nodes[0].port},127.0.0.1:${nodes[1].port}?tls=false`,
      retryForMs: SHORT_RETRY_MS,
    });
    await expect(store.append(someStream(), someEvents(1), 'none')).rejects.toBeInstanceOf(EventStoreUnavailable);
    nodes[0].follow(undefined);
    nodes[1].follow(nodes[0]);
    expect(await store.append(someStream(), someEvents(1), 'none')).toMatchObject({ revision: 0 });
  });

  test('replaces a dead connection after two calls without an answer', async () => {
    const double = await startDouble();
    const store = openStore({ url: double.url, appendTimeoutMs: 1_000, readTimeoutMs: 1_000 });
    const stream = someStream();
    await store.append(stream, someEvents(1), 'none');
    double.freeze();
    expect(await store.append(stream, someEvents(1), 0)).toMatchObject({ revision: 1 });
    expect(await all(store.readStream(stream))).toHaveLength(2);
  });
});

describe('a store on EventStoreDB', () => {
  test.each(['notReady', 'noLeader'] as const)(
    'reads after an election in which the server answers %s',
    async (fault) => {
      const double = await startDouble();
      const store = openStore({ url: double.url });
      const stream = someStream();
      const { position } = await store.append(stream, someEvents(3), 'none');
      double.faults.plan('read', fault, SHORT_ELECTION_TRIES);
      expect(await all(store.readStream(stream))).toHaveLength(3);
      double.faults.plan('read', fault, SHORT_ELECTION_TRIES);
      expect(await store.head()).toBe(position);
      double.faults.plan('read', fault, SHORT_ELECTION_TRIES);
      expect((await all(store.readAll({ after: 0n }))).flatMap(({ events }) => events)).toHaveLength(3);
    },
  );

  test('reads and subscribes over a new connection when the old one is dead', async () => {
    const double = await startDouble();
    const store = openStore({ url: double.url, appendTimeoutMs: 1_000, readTimeoutMs: 1_000, watchdogMs: 500 });
    const stream = someStream();
    await using subscription = follow(store, { after: 0n });
    const { position } = await store.append(stream, someEvents(1), 'none');
    await subscription.until((events) => events.length === 1);
    double.freeze();
    expect(await store.head()).toBe(position);
    await store.append(stream, someEvents(1), 0);
    await subscription.until((events) => events.length === 2);
    expect(double.faults.calls.subscribe).toBeGreaterThan(1);
  });

  test('keeps its connection when one call of many has no answer', async () => {
    const double = await startDouble();
    const store = openStore({ url: double.url, appendTimeoutMs: 1_000 });
    await store.append(someStream(), someEvents(1), 'none');
    for (let n = 0; n < 3; n++) {
      double.faults.plan('append', 'hang');
      await store.append(someStream(), someEvents(1), 'none');
    }
    expect(double.connectionsOpened).toBe(1);
  });

  test.each(['kurrentdb', 'esdb'])('takes a %s:// URL', async (scheme) => {
    const double = await startDouble();
    const store = openStore({ url: double.url.replace(/^esdb/, scheme) });
    expect(await store.append(someStream(), someEvents(1), 'none')).toMatchObject({ revision: 0 });
  });

  test.each(['kurrentdb+discover', 'esdb+discover'])('finds the leader behind a %s:// URL', async (scheme) => {
    const log = createDoubleLog();
    const [follower, leader] = [await startDouble({ log }), await startDouble({ log })];
    follower.follow(leader);
    const store = openStore({ url: follower.url.replace(/^esdb/, scheme) });
    await store.append(someStream(), someEvents(1), 'none');
    expect([follower.refused, leader.faults.calls.append]).toEqual([0, 1]);
  });

  test('refuses a client without the members that it changes', async () => {
    await expect(closeChannel({} as never)).rejects.toThrow('eventStoreDb/client.ts');
  });
});
