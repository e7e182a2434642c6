import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { toNewEvents } from './commandHandler.ts';
import type { DomainEvent, RecordedEvent } from './event.ts';
import type { EventStore } from './eventStore.ts';
import { readState, type Evolution } from './readState.ts';

type Added = DomainEvent<'Added', { n: number }>;

const sum: Evolution<Added, number> = { initialState: 0, evolve: (state, { data }) => state + data.n };

let database: TestDatabase;
let store: EventStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresEventStore({ pool: database.pool });
});

afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
});

const add = (stream: string, ...numbers: number[]) => {
  const events: Added[] = numbers.map((n) => ({ type: 'Added', data: { n } }));
  return store.append(stream, toNewEvents(events, stream, { correlationId: 'c', now: new Date(0) }), 'any');
};

test('a stream that does not exist has the initial state, no revision and position zero', async () => {
  expect(await readState(store, sum, `sum-${randomUUID()}`)).toEqual({ state: 0, revision: undefined, position: 0n });
});

test('a stream is folded from its beginning, and the place is that of its last event', async () => {
  const stream = `sum-${randomUUID()}`;
  const last = await add(stream, 1, 2, 3);
  expect(await readState(store, sum, stream)).toEqual({ state: 6, ...last });
});

test('from a known state on, only the events after it are read', async () => {
  const stream = `sum-${randomUUID()}`;
  await add(stream, 1, 2);
  const since = await readState(store, sum, stream);
  expect(await readState(store, sum, stream, { since })).toEqual(since);
  const last = await add(stream, 4, 8);
  const seen: RecordedEvent<Added>[] = [];
  const onEvent = (event: RecordedEvent<Added>): void => void seen.push(event);
  expect(await readState(store, sum, stream, { since, onEvent })).toEqual({ state: 15, ...last });
  expect(seen.map(({ data, revision }) => [data.n, revision])).toEqual([
    [4, 2],
    [8, 3],
  ]);
});
