import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { startTcpProxy, type TcpProxy } from '../../../tests/support/tcpProxy.ts';
import type { NewEvent, RecordedEvent } from '../../core/event.ts';
import { createPool } from '../../postgres/pool.ts';
import { EventStoreUnavailable, type AppendResult, type EventStore } from '../../core/eventStore.ts';
import { all, follow, someEvents, someStream } from '../contract/eventStoreContract.ts';
import { createPostgresEventStore } from './postgresEventStore.ts';

/** For the tests in which appends are given up. */
const GIVE_UP_MS = 1_000;
/** For the others: no append may be given up because the machine is slow. */
const PATIENT_MS = 20_000;
/** A busy machine may add this much. */
const SLACK_MS = 10_000;

let database: TestDatabase;
let proxy: TcpProxy;
let pool: pg.Pool;
let store: EventStore;
/** Not through the proxy: shows what is in the log. */
let direct: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startTcpProxy(database.url);
  pool = createPool({ connectionString: proxy.url, name: 'outages' });
  store = createPostgresEventStore({ pool, giveUpAfterMs: GIVE_UP_MS, readTimeoutMs: GIVE_UP_MS, pollMs: 200 });
  direct = createPostgresEventStore({ pool: database.pool, giveUpAfterMs: PATIENT_MS });
});

afterAll(async () => {
  proxy.restore();
  await store.close();
  await pool.end();
  await direct.close();
  await proxy[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

describe('a connection that breaks while a batch is committed', () => {
  test('leaves every append of the batch in the log once, and each is answered', async () => {
    const streams = Array.from({ length: 20 }, () => someStream());
    await using patient = createOther(PATIENT_MS);
    await patient.store.append(someStream(), someEvents(1), 'none');
    const writes = countWrites();
    proxy.loseAnswerTo('append');
    const results = await Promise.all(streams.map((stream) => patient.store.append(stream, someEvents(2), 'none')));
    expect(writes()).toBeGreaterThan(1);
    for (const [n, stream] of streams.entries()) {
      const events = await all(direct.readStream(stream));
      expect(events).toHaveLength(2);
      expect(results[n]).toEqual({ revision: 1, position: events[1]!.position });
    }
  });
});

describe('a PostgreSQL that is away', () => {
  test('for a moment only delays appends', async () => {
    const stream = someStream();
    await using patient = createOther(PATIENT_MS);
    await patient.store.append(someStream(), someEvents(1), 'none');
    proxy.cut();
    const appends = Array.from({ length: 5 }, () => patient.store.append(stream, someEvents(1), 'any'));
    await expect(patient.store.head()).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    await Promise.all(appends);
    expect(await all(direct.readStream(stream))).toHaveLength(5);
  });

  test('for longer makes appends and reads fail as unavailable, and they work again when it is back', async () => {
    const stream = someStream();
    const events = someEvents(1);
    proxy.cut();
    const started = performance.now();
    await expect(store.append(stream, events, 'none')).rejects.toThrow(EventStoreUnavailable);
    expect(performance.now() - started).toBeLessThan(GIVE_UP_MS + SLACK_MS);
    await expect(all(store.readStream(stream))).rejects.toThrow(EventStoreUnavailable);
    await expect(all(store.readAll({ after: 0n }))).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    expect(await onceTaken(stream, events)).toMatchObject({ revision: 0 });
  });

  test('does not end a subscription, which misses and repeats no event', async () => {
    const stream = someStream();
    await using subscription = follow(store, { after: await direct.head(), batchSize: 2 });
    await direct.append(stream, someEvents(3), 'any');
    await subscription.until((events) => of(stream, events).length === 3);
    proxy.cut();
    await direct.append(stream, someEvents(5), 'any');
    await expect(store.head()).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    await direct.append(stream, someEvents(1), 'any');
    await subscription.until((events) => of(stream, events).length === 9);
    expect(of(stream, subscription.events).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('does not keep a subscription from beginning', async () => {
    const stream = someStream();
    const after = await direct.head();
    proxy.cut();
    await using other = createOther();
    await using subscription = follow(other.store, { after });
    await direct.append(stream, someEvents(2), 'any');
    proxy.restore();
    await subscription.until((events) => of(stream, events).length === 2);
  });
});

describe('a PostgreSQL that hangs', () => {
  test('makes an append fail as unavailable; when it is repeated later, its events are in the log once', async () => {
    const stream = someStream();
    const events = someEvents(2);
    await onceTaken(someStream(), someEvents(1));
    proxy.hang();
    await expect(store.append(stream, events, 'none')).rejects.toThrow(EventStoreUnavailable);
    await expect(store.head()).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    expect(await onceTaken(stream, events)).toMatchObject({ revision: 1 });
    expect(await all(direct.readStream(stream))).toHaveLength(2);
  });

  test('does not delay appends that wait behind others any longer than those', async () => {
    await onceTaken(someStream(), someEvents(1));
    proxy.hang();
    const writes = countWrites();
    const results = await Promise.allSettled(
      Array.from({ length: 3_000 }, () => store.append(someStream(), someEvents(1), 'none')),
    );
    expect(
      results.every((result) => result.status === 'rejected' && result.reason instanceof EventStoreUnavailable),
    ).toBe(true);
    // They would be six batches. The waiting ones were given up with the first, instead of each having a try of its
    // own.
    const sent = writes();
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(6);
    proxy.restore();
    await onceTaken(someStream(), someEvents(1));
  });

  test('does not end a subscription', async () => {
    const stream = someStream();
    await using subscription = follow(store, { after: await direct.head() });
    await direct.append(stream, someEvents(1), 'any');
    await subscription.until((events) => of(stream, events).length === 1);
    proxy.hang();
    await direct.append(stream, someEvents(2), 'any');
    await expect(store.head()).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    await subscription.until((events) => of(stream, events).length === 3);
    expect(of(stream, subscription.events).map(({ revision }) => revision)).toEqual([0, 1, 2]);
  });

  test('does not keep a subscription from being ended, nor a store from closing', async () => {
    const other = createOther();
    const stream = someStream();
    const subscription = follow(other.store, { after: await direct.head() });
    await direct.append(stream, someEvents(1), 'any');
    await subscription.until((events) => of(stream, events).length === 1);
    proxy.hang();
    const started = performance.now();
    await subscription[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    expect(performance.now() - started).toBeLessThan(GIVE_UP_MS + SLACK_MS);
    proxy.restore();
  });
});

/** Repeats an append, as the port allows, until the store has its connection back. */
function onceTaken(stream: string, events: NewEvent[]): Promise<AppendResult> {
  return eventually(() => store.append(stream, events, 'none'), { what: 'appends are taken again' });
}

/** Counts the batches that are sent from now on, by any store. The returned function ends it and answers the number. */
function countWrites(): () => number {
  const queries = jest.spyOn(pg.Client.prototype, 'query');
  return () => {
    const writes = queries.mock.calls.filter(([query]) => (query as unknown as pg.QueryConfig).name === 'append');
    queries.mockRestore();
    return writes.length;
  };
}

/** The events of one stream. The server may still carry out appends of other tests that were given up while it hung. */
function of(stream: string, events: readonly RecordedEvent[]): RecordedEvent[] {
  return events.filter((event) => event.stream === stream);
}

function createOther(giveUpAfterMs = GIVE_UP_MS): { store: EventStore; pool: pg.Pool } & AsyncDisposable {
  const otherPool = createPool({ connectionString: proxy.url, name: 'other' });
  const other = createPostgresEventStore({ pool: otherPool, giveUpAfterMs, readTimeoutMs: giveUpAfterMs, pollMs: 200 });
  return {
    store: other,
    pool: otherPool,
    [Symbol.asyncDispose]: async () => {
      await other.close();
      await otherPool.end();
    },
  };
}
