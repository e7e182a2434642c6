import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { createPool } from '../../postgres/pool.ts';
import { AppendRefused, type EventStore } from '../../core/eventStore.ts';
import { all, eventStoreContract, follow, someEvent, someEvents, someStream } from '../contract/eventStoreContract.ts';
import { createPostgresEventStore } from './postgresEventStore.ts';

eventStoreContract('The PostgreSQL event store', async () => {
  const database = await createTestDatabase();
  return {
    open: () => Promise.resolve(createPostgresEventStore({ pool: database.pool })),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
});

describe('The PostgreSQL event store, beyond the contract,', () => {
  let database: TestDatabase;
  let store: EventStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    store = createPostgresEventStore({ pool: database.pool, pollMs: 100 });
  });

  afterAll(async () => {
    await store.close();
    await database[Symbol.asyncDispose]();
  });

  test('writes appends that arrive at the same time in few transactions, even when few may wait', async () => {
    const queries = jest.spyOn(pg.Client.prototype, 'query');
    const narrow = createPostgresEventStore({ pool: database.pool, mostWaiting: 50 });
    const wide = createPostgresEventStore({ pool: database.pool });
    for (const [of, most] of [
      [wide, 10],
      [narrow, 40],
    ] as const) {
      queries.mockClear();
      const results = await Promise.all(
        Array.from({ length: 1_000 }, () => of.append(someStream(), someEvents(1), 'none')),
      );
      expect(new Set(results.map(({ position }) => position)).size).toBe(1_000);
      const writes = queries.mock.calls.filter(([query]) => (query as unknown as pg.QueryConfig).name === 'append');
      expect(writes.length).toBeGreaterThan(0);
      expect(writes.length).toBeLessThanOrEqual(most);
      await of.close();
    }
    queries.mockRestore();
  });

  test('reads a page ahead, but not for a reader that wants one page', async () => {
    await store.append(someStream(), someEvents(3), 'none');
    for (const [readAhead, pages] of [
      [false, 1],
      [true, 2],
    ] as const) {
      const queries = jest.spyOn(pg.Client.prototype, 'query');
      for await (const { events } of store.readAll({ after: 0n, batchSize: 1, readAhead })) {
        expect(events).toHaveLength(1);
        // Answered after a query for the next page was sent, if there is one.
        await store.head();
        break;
      }
      const reads = queries.mock.calls.filter(([query]) => (query as unknown as pg.QueryConfig).name === 'page');
      queries.mockRestore();
      expect(reads).toHaveLength(pages);
    }
  });

  test('assigns positions without gaps', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.append(someStream(), someEvents(n % 2 === 0 ? 1 : 3), 'none')),
    );
    await expect(store.append(someStream(), someEvents(1), 3)).rejects.toThrow();
    const positions = (await all(store.readAll({ after: 0n })))
      .flatMap(({ events }) => events)
      .map(({ position }) => position);
    expect(positions).toEqual(positions.map((_, n) => BigInt(n + 1)));
    expect(await store.head()).toBe(positions.at(-1));
  });

  test('fails only the request whose data PostgreSQL refuses', async () => {
    await database.pool.query(`alter table reelstream.events add constraint no_poison check (type <> 'Poison')`);
    const stream = someStream();
    const requests = Array.from({ length: 40 }, (_, n) => {
      return { stream, events: [someEvent(n % 13 === 7 ? 'Poison' : 'Tested', { n })], expected: 'any' as const };
    });
    const results = await store.appendMany(requests);
    expect(results.map(({ status }) => status)).toEqual(
      requests.map((_, n) => (n % 13 === 7 ? 'rejected' : 'fulfilled')),
    );
    expect((results[7] as PromiseRejectedResult).reason).toBeInstanceOf(AppendRefused);
    const events = await all(store.readStream(stream));
    const appended = new Set(events.map(({ data }) => (data as { n: number }).n));
    expect(appended).toEqual(new Set(requests.map((_, n) => n).filter((n) => n % 13 !== 7)));
    expect(events.map(({ revision }) => revision)).toEqual(events.map((_, n) => n));
  });

  test.each([
    ['an event over a megabyte', [someEvent('Tested', { text: 'x'.repeat(1_000_001) })], 'over the limit'],
    ['data that is not JSON', [someEvent('Tested', { big: 1n })], 'JSON'],
    ['a control character in the type', [someEvent('Te\u0000sted')], 'control'],
    [
      'the same id twice',
      [someEvent(), someEvent()].map((event) => ({ ...event, id: '0198c0de-0000-7000-8000-000000000001' })),
      'twice',
    ],
  ])('refuses %s before it can spoil a batch', async (_, events, message) => {
    await expect(store.append(someStream(), events, 'any')).rejects.toThrow(AppendRefused);
    await expect(store.append(someStream(), events, 'any')).rejects.toThrow(message);
  });

  test.each([
    ['half a character', 'like-\ud800'],
    ['nothing', ''],
    ['too long', `like-${'x'.repeat(300)}`],
  ])('refuses a stream name that is %s', async (_, stream) => {
    await expect(store.append(stream, someEvents(1), 'any')).rejects.toThrow(AppendRefused);
  });

  test('stores half a character and a NUL in the data, since JSON can encode them', async () => {
    const stream = someStream();
    await store.append(stream, [someEvent('Tested', { text: '\ud800 \u0000' })], 'any');
    expect(await all(store.readStream(stream))).toMatchObject([{ data: { text: '\ud800 \u0000' } }]);
  });

  test('refuses only appends with ids that are in another stream', async () => {
    const [known, fresh] = [someEvent(), someEvent()];
    await store.append(someStream(), [known], 'none');
    const results = await store.appendMany([
      { stream: someStream(), events: [known], expected: 'any' },
      { stream: someStream(), events: [fresh, known], expected: 'none' },
      { stream: someStream(), events: [fresh], expected: 'none' },
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect((results[0] as PromiseRejectedResult).reason).toBeInstanceOf(AppendRefused);
  });

  test('treats an id in capital letters as the same', async () => {
    const stream = someStream();
    const event = someEvent();
    const first = await store.append(stream, [event], 'none');
    expect(await store.append(stream, [{ ...event, id: event.id.toUpperCase() }], 'none')).toEqual(first);
  });

  test('finds events that were appended without a notification by polling', async () => {
    const stream = someStream();
    await using subscription = follow(store, { after: await store.head() });
    await store.append(stream, someEvents(1), 'any');
    await subscription.until((events) => events.length === 1);
    const unannounced = `select reelstream.append_events(
      array[$1], '{1}', '{-2}', '{1}', array[gen_random_uuid()], '{Tested}', array['{}'::json], array['{}'::json])`;
    await database.pool.query(unannounced, [stream]);
    await subscription.until((events) => events.length === 2);
  });

  test('reports its position now and then while it searches for a rare type', async () => {
    const after = await store.head();
    await database.pool.query(
      `
      insert into reelstream.events (position, stream, revision, id, type, data, metadata, time)
      select $1::bigint + n, 'many', n - 1, gen_random_uuid(), 'Common', '{}', '{}', now() from generate_series(1, 120000) n`,
      [after],
    );
    await database.pool.query('update reelstream.head set position = position + 120000');
    const { position } = await store.append(someStream(), [someEvent('Rare')], 'any');
    const batches = await all(store.readAll({ after, types: ['Rare'] }));
    expect(batches.map(({ events }) => events.length)).toEqual([0, 0, 1]);
    expect(batches.at(-1)!.position).toBe(position);
    await using subscription = follow(store, { after, types: ['Rare'] });
    await subscription.until((events) => events.length === 1);
  });

  test('refuses to append at an isolation level with one snapshot for a transaction, which could miss earlier commits', async () => {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c default_transaction_isolation=serializable');
    const pool = createPool({ connectionString: url.href, name: 'serializable' });
    const serializable = createPostgresEventStore({ pool });
    try {
      await expect(serializable.append(someStream(), someEvents(1), 'none')).rejects.toThrow(
        /isolation level read committed/,
      );
    } finally {
      await serializable.close();
      await pool.end();
    }
  });

  test('refuses to change or delete events', async () => {
    await store.append(someStream(), someEvents(1), 'any');
    for (const statement of [
      `update reelstream.events set type = 'Other'`,
      'delete from reelstream.events',
      'truncate reelstream.events',
    ]) {
      await expect(database.pool.query(statement)).rejects.toThrow(/append-only/);
    }
  });
});
