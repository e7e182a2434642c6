import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { startTcpProxy } from '../../tests/support/tcpProxy.ts';
import { EventStoreUnavailable, type EventStore } from '../core/eventStore.ts';
import { all, follow } from './contract/eventStoreContract.ts';
import { createPostgresEventStore } from './postgres/postgresEventStore.ts';
import { withCodec } from './withCodec.ts';
import { createPool } from '../postgres/pool.ts';
import type { NewEvent } from '../core/event.ts';
import { createEventCodec } from '../core/eventCodec.ts';
import { FORGOTTEN, type EventTypeDefinitions } from '../core/eventTypes.ts';
import { openPostgresUserKeys } from '../postgres/postgresUserKeys.ts';
import { UnknownUserKey, UserForgotten, WrongMasterKey } from '../core/userKeys.ts';
import { fixedKeys } from '../core/keyRing.ts';

const types: EventTypeDefinitions = {
  Joined: { version: 1, personal: { subject: 'userId', fields: ['name', 'email', 'nickname'] } },
  Counted: { version: 1 },
};
const masterKey = randomBytes(32);

let database: TestDatabase;
let raw: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  raw = createPostgresEventStore({ pool: database.pool });
});

afterAll(async () => {
  await raw?.close();
  await database?.[Symbol.asyncDispose]();
});

/** What a process has: its own cache of keys on the same database. */
async function processOf(cacheMs?: number) {
  const keys = await openPostgresUserKeys({ pool: database.pool, masterKeys: fixedKeys(masterKey), cacheMs });
  const codec = createEventCodec({ types, keys });
  return { codec, store: withCodec(raw, codec) };
}

/** Deletes the key of a user, as docs/adr/0005-personal-data.md says. */
async function forget(userId: string): Promise<void> {
  await database.pool.query(
    `insert into reelstream.user_keys (user_id, forgotten_at) values ($1, now())
     on conflict (user_id) do update set wrapped = null, forgotten_at = now()`,
    [userId],
  );
}

function joined(userId: string, name = 'Zoë'): NewEvent {
  return {
    id: randomUUID(),
    type: 'Joined',
    data: { userId, name, email: `${name}@example.org`, at: 'then' },
    metadata: { correlationId: 'c', schemaVersion: 0 },
  };
}

describe('personal data in the log', () => {
  test('is sealed in the log, and readable through the codec', async () => {
    const { store } = await processOf();
    const userId = randomUUID();
    const event = joined(userId);
    await store.append(`user-${userId}`, [event], 'none');

    const [stored] = await all(raw.readStream(`user-${userId}`));
    expect(stored!.data).toEqual({ userId, at: 'then', personal: expect.stringMatching(/^v1\.name\+email\.[\w-]+$/) });
    expect(stored!.metadata.schemaVersion).toBe(1);
    const { rows } = await database.pool.query<{ text: string }>(
      'select e::text as text from reelstream.events e union all select k::text from reelstream.user_keys k',
    );
    expect(rows.some(({ text }) => text.includes('Zoë'))).toBe(false);

    const elsewhere = await processOf();
    const [read] = await all(elsewhere.store.readStream(`user-${userId}`));
    expect(read!.data).toEqual(event.data);
    const batches = await all(elsewhere.store.readAll({ after: read!.position - 1n, until: read!.position }));
    expect(batches[0]!.events).toEqual([read]);
  });

  test('reads as forgotten once its user is, in every process when its cache expires, and from then on', async () => {
    const [here, there] = [await processOf(50), await processOf(50)];
    const userId = randomUUID();
    await here.store.append(`user-${userId}`, [joined(userId)], 'none');
    expect(await all(there.store.readStream(`user-${userId}`))).toMatchObject([{ data: { name: 'Zoë' } }]);

    await forget(userId);
    const gone = [{ data: { userId, name: FORGOTTEN, email: FORGOTTEN, nickname: FORGOTTEN, at: 'then' } }];
    for (const { store } of [here, there])
      await eventually(async () => expect(await all(store.readStream(`user-${userId}`))).toMatchObject(gone), {
        what: 'the process reads that the user is forgotten',
        holds: () => true,
      });
    await expect(there.store.append(`user-${userId}`, [joined(userId)], 'any')).rejects.toThrow(UserForgotten);
    await expect((await processOf()).store.append(`user-${userId}`, [joined(userId)], 'any')).rejects.toThrow(
      UserForgotten,
    );
    expect(await all(raw.readStream(`user-${userId}`))).toHaveLength(1);
  });

  test('has one key for each user, even when many processes need it first at the same time', async () => {
    const processes = await Promise.all(Array.from({ length: 6 }, () => processOf()));
    const users = Array.from({ length: 10 }, () => randomUUID());
    const stream = `user-${randomUUID()}`;
    await Promise.all(
      processes.flatMap(({ store }, n) => users.map((user) => store.append(stream, [joined(user, `n${n}`)], 'any'))),
    );
    const reader = await processOf();
    const names = (await all(reader.store.readStream(stream))).map(({ data }) => (data as { name: string }).name);
    expect(names).toHaveLength(60);
    expect(new Set(names)).toEqual(new Set(processes.map((_, n) => `n${n}`)));
  });

  test('is read with one query of keys for a whole batch of users', async () => {
    const { store } = await processOf();
    const stream = `user-${randomUUID()}`;
    const after = await raw.head();
    await store.append(
      stream,
      Array.from({ length: 200 }, (_, n) => joined(randomUUID(), `n${n}`)),
      'any',
    );
    const fresh = await processOf();
    const queries = jest.spyOn(database.pool, 'query');
    const events = (await all(fresh.store.readAll({ after }))).flatMap((batch) => batch.events);
    expect(events.map(({ data }) => (data as { name: string }).name)).toEqual(
      Array.from({ length: 200 }, (_, n) => `n${n}`),
    );
    expect(
      queries.mock.calls.filter(([query]) => (query as unknown as { text: string }).text.includes('user_keys')),
    ).toHaveLength(1);
    queries.mockRestore();
  });

  test('fails only its own append in appendMany when its user is forgotten', async () => {
    const { store } = await processOf();
    const [forgotten, known] = [randomUUID(), randomUUID()];
    await forget(forgotten);
    const results = await store.appendMany([
      { stream: `user-${forgotten}`, events: [joined(forgotten)], expected: 'none' },
      { stream: `user-${known}`, events: [joined(known)], expected: 'none' },
      { stream: `user-${known}`, events: [joined(known)], expected: 'none' },
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    expect((results[0] as PromiseRejectedResult).reason).toBeInstanceOf(UserForgotten);
  });

  test('is not read as forgotten when its key is missing', async () => {
    const { store } = await processOf();
    const userId = randomUUID();
    await store.append(`user-${userId}`, [joined(userId)], 'none');
    await database.pool.query('delete from reelstream.user_keys where user_id = $1', [userId]);
    const { store: fresh } = await processOf();
    await expect(all(fresh.readStream(`user-${userId}`))).rejects.toThrow(UnknownUserKey);
  });

  test('makes the same append when it is sealed a second time', async () => {
    const { store } = await processOf();
    const userId = randomUUID();
    const event = joined(userId);
    const first = await store.append(`user-${userId}`, [event], 'none');
    expect(await store.append(`user-${userId}`, [event], 'none')).toEqual(first);
  });

  test('is decoded for subscribers', async () => {
    const { store } = await processOf();
    const userId = randomUUID();
    const after = await store.head();
    await store.append(`user-${userId}`, [joined(userId)], 'none');
    for await (const { events } of store.subscribe({ after })) {
      expect(events).toMatchObject([{ data: { userId, name: 'Zoë' } }]);
      break;
    }
  });

  test('reaches subscribers even when the keys could not be read for a while; other reads fail as unavailable', async () => {
    await using proxy = await startTcpProxy(database.url);
    const pool = createPool({ connectionString: proxy.url, name: 'keys' });
    const cutOff = withCodec(
      raw,
      createEventCodec({ types, keys: await openPostgresUserKeys({ pool, masterKeys: fixedKeys(masterKey) }) }),
    );
    const { store } = await processOf();
    const userId = randomUUID();
    const stream = `user-${userId}`;
    proxy.cut();
    await using subscription = follow(cutOff, { after: await raw.head() });
    await store.append(stream, [joined(userId)], 'none');
    await expect(all(cutOff.readStream(stream))).rejects.toThrow(EventStoreUnavailable);
    await expect(cutOff.append(stream, [joined(randomUUID())], 'any')).rejects.toThrow(EventStoreUnavailable);
    expect(subscription.events).toEqual([]);
    proxy.restore();
    await subscription.until((events) => events.length === 1);
    expect(subscription.events).toMatchObject([{ stream, data: { name: 'Zoë' } }]);
    await pool.end();
  });
});

test('a database that was set up with another master key is refused with a message that says what to do', async () => {
  await processOf();
  const opening = openPostgresUserKeys({ pool: database.pool, masterKeys: fixedKeys(randomBytes(32)) });
  await expect(opening).rejects.toThrow(WrongMasterKey);
  await expect(opening).rejects.toThrow(/Set DATA_KEY/);
  await expect(openPostgresUserKeys({ pool: database.pool, masterKeys: fixedKeys(randomBytes(16)) })).rejects.toThrow(
    /32/,
  );
});
