import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { startTcpProxy, type TcpProxy } from '../../tests/support/tcpProxy.ts';
import type { RecordedEvent } from '../core/event.ts';
import { createPool } from '../postgres/pool.ts';
import { EventStoreUnavailable, type EventStore } from './eventStore.ts';
import { all, follow, someEvents, someStream } from './eventStoreContract.ts';
import { createPostgresEventStore } from './postgresEventStore.ts';

const GIVE_UP_MS = 1_000;

let database: TestDatabase;
let proxy: TcpProxy;
let pool: pg.Pool;
let store: EventStore;
/** Past the proxy: what is really in the log. */
let direct: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startTcpProxy(database.url);
  pool = createPool({ connectionString: proxy.url, name: 'outages' });
  store = createPostgresEventStore({ pool, giveUpAfterMs: GIVE_UP_MS, readTimeoutMs: GIVE_UP_MS, pollMs: 200 });
  direct = createPostgresEventStore({ pool: database.pool });
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
    await store.append(someStream(), someEvents(1), 'none');
    const queries = jest.spyOn(pool, 'query');
    proxy.loseAnswerTo('append');
    const results = await Promise.all(streams.map((stream) => store.append(stream, someEvents(2), 'none')));
    const writes = queries.mock.calls.filter(([query]) => (query as unknown as pg.QueryConfig).name === 'append');
    queries.mockRestore();
    expect(writes.length).toBeGreaterThan(1);
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
    proxy.cut();
    const appends = Array.from({ length: 5 }, () => store.append(stream, someEvents(1), 'any'));
    await expect(store.head()).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    await Promise.all(appends);
    expect(await all(direct.readStream(stream))).toHaveLength(5);
  });

  test('for longer fails appends and reads as unavailable, and all is well when it is back', async () => {
    const stream = someStream();
    proxy.cut();
    const started = performance.now();
    await expect(store.append(stream, someEvents(1), 'none')).rejects.toThrow(EventStoreUnavailable);
    expect(performance.now() - started).toBeLessThan(4 * GIVE_UP_MS);
    await expect(all(store.readStream(stream))).rejects.toThrow(EventStoreUnavailable);
    await expect(all(store.readAll({ after: 0n }))).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    expect(await store.append(stream, someEvents(1), 'none')).toMatchObject({ revision: 0 });
  });

  test('does not end a subscription, and makes it miss and repeat nothing', async () => {
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
  test('fails an append as unavailable; sent again when it answers again, the append is there once', async () => {
    const stream = someStream();
    const events = someEvents(2);
    await store.append(someStream(), someEvents(1), 'none');
    proxy.hang();
    await expect(store.append(stream, events, 'none')).rejects.toThrow(EventStoreUnavailable);
    await expect(store.head()).rejects.toThrow(EventStoreUnavailable);
    proxy.restore();
    expect(await store.append(stream, events, 'none')).toMatchObject({ revision: 1 });
    expect(await all(direct.readStream(stream))).toHaveLength(2);
  });

  test('does not keep appends waiting that had to wait behind others', async () => {
    await store.append(someStream(), someEvents(1), 'none');
    proxy.hang();
    const started = performance.now();
    const results = await Promise.allSettled(Array.from({ length: 3_000 }, () => store.append(someStream(), someEvents(1), 'none')));
    expect(results.every((result) => result.status === 'rejected' && result.reason instanceof EventStoreUnavailable)).toBe(true);
    expect(performance.now() - started).toBeLessThan(4 * GIVE_UP_MS);
    proxy.restore();
    await store.append(someStream(), someEvents(1), 'none');
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
    expect(performance.now() - started).toBeLessThan(4 * GIVE_UP_MS);
    proxy.restore();
  });
});

/** An append that was given up while the server hung may still be carried out when it goes on: others' events are left out. */
function of(stream: string, events: readonly RecordedEvent[]): RecordedEvent[] {
  return events.filter((event) => event.stream === stream);
}

function createOther(): { store: EventStore } & AsyncDisposable {
  const otherPool = createPool({ connectionString: proxy.url, name: 'other' });
  const other = createPostgresEventStore({ pool: otherPool, giveUpAfterMs: GIVE_UP_MS, readTimeoutMs: GIVE_UP_MS, pollMs: 200 });
  return {
    store: other,
    [Symbol.asyncDispose]: async () => {
      await other.close();
      await otherPool.end();
    },
  };
}
