import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { fc } from '../../../tests/support/property.ts';
import type { NewEvent, RecordedEvent } from '../../core/event.ts';
import { createPool } from '../../postgres/pool.ts';
import { RevisionConflict, type AppendRequest, type AppendResult, type EventStore } from '../../core/eventStore.ts';
import { all, follow, someEvents, someStream } from '../contract/eventStoreContract.ts';
import { createPostgresEventStore } from './postgresEventStore.ts';

jest.setTimeout(180_000);

const PROCESSES = 3;

let database: TestDatabase;
let stores: EventStore[];
let closePools: () => Promise<unknown>;

beforeAll(async () => {
  database = await createTestDatabase();
  const pools = Array.from({ length: PROCESSES }, (_, n) =>
    createPool({ connectionString: database.url, name: `process ${n}`, max: 5 }),
  );
  // Polls are so rare that readers usually get events by notification, and frequent enough if a notification is lost.
  stores = pools.map((pool) => createPostgresEventStore({ pool, pollMs: 5_000, giveUpAfterMs: 30_000 }));
  closePools = () => Promise.all(pools.map((pool) => pool.end()));
});

afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await closePools();
  await database[Symbol.asyncDispose]();
});

/** One append: the process, one of few streams, the number of events, and the expected revision. */
const step = fc.record({
  process: fc.nat(PROCESSES - 1),
  stream: fc.nat(3),
  events: fc.integer({ min: 1, max: 4 }),
  expected: fc.constantFrom('any' as const, 'none' as const, 'read' as const),
});
const workload = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 4, maxLength: 10 });

test('no reader sees a gap that is filled later, and all readers see one order, while several processes append', async () => {
  await fc.assert(
    fc.asyncProperty(workload, async (writers) => {
      const start = await stores[0]!.head();
      const streams = Array.from({ length: 4 }, () => someStream());
      await using followers = new AsyncDisposableStack();
      const following = stores.map((store) => followers.use(follow(store, { after: start, batchSize: 3 })));
      const writing = new AbortController();
      const polling = stores.map((store) => readOnAndOn(store, start, writing.signal));

      const results = await Promise.all(writers.map((steps) => write(steps, streams)));
      writing.abort();

      const log = (await all(stores[0]!.readAll({ after: start }))).flatMap(({ events }) => events);
      const order = log.map(({ id }) => id);
      for (const seen of await Promise.all(polling)) expect(seen).toEqual(order.slice(0, seen.length));
      for (const reader of following) {
        await reader.until((events) => events.length >= log.length);
        expect(reader.events.map(({ id }) => id)).toEqual(order);
      }

      expectGaplessStreams(log);
      const acknowledged = results.flat();
      expect(log).toHaveLength(acknowledged.reduce((sum, { request }) => sum + request.events.length, 0));
      for (const { request, result } of acknowledged) expectAt(log, request.events, result);
    }),
    // Failures depend on timing, so they do not shrink.
    { numRuns: 15, endOnFailure: true },
  );
});

test('repeating appends, in any order and from any process, answers the same and changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(workload, fc.infiniteStream(fc.nat(PROCESSES - 1)), async (writers, processes) => {
      const streams = Array.from({ length: 4 }, () => someStream());
      const first = (await Promise.all(writers.map((steps) => write(steps, streams)))).flat();
      const head = await stores[0]!.head();
      const again = await Promise.all(
        first.map(({ request }) =>
          stores[processes.next().value]!.append(request.stream, request.events, request.expected),
        ),
      );
      expect(again).toEqual(first.map(({ result }) => result));
      expect(await stores[0]!.head()).toBe(head);
    }),
    { numRuns: 15, endOnFailure: true },
  );
});

interface Acknowledged {
  readonly request: AppendRequest;
  readonly result: AppendResult;
}

async function write(
  steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[],
  streams: readonly string[],
): Promise<Acknowledged[]> {
  const done: Acknowledged[] = [];
  for (const { process, stream: index, events: count, expected: wish } of steps) {
    const store = stores[process]!;
    const stream = streams[index]!;
    const last = wish === 'read' ? (await all(store.readStream(stream))).at(-1)?.revision : undefined;
    const request: AppendRequest = {
      stream,
      events: someEvents(count),
      expected: wish === 'read' ? (last ?? 'none') : wish,
    };
    try {
      done.push({ request, result: await store.append(stream, request.events, request.expected) });
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
  }
  return done;
}

/** Reads to the end again and again, each time from the position that it has reached. */
async function readOnAndOn(store: EventStore, after: bigint, writing: AbortSignal): Promise<string[]> {
  const seen: string[] = [];
  for (let position = after; ;) {
    const last = writing.aborted;
    for await (const batch of store.readAll({ after: position, batchSize: 5 })) {
      seen.push(...batch.events.map(({ id }) => id));
      position = batch.position;
    }
    if (last) return seen;
  }
}

function expectGaplessStreams(log: readonly RecordedEvent[]): void {
  for (const events of Object.values(Object.groupBy(log, ({ stream }) => stream))) {
    expect(events!.map(({ revision }) => revision)).toEqual(events!.map((_, n) => n));
  }
}

function expectAt(
  log: readonly RecordedEvent[],
  events: readonly NewEvent[],
  { revision, position }: AppendResult,
): void {
  const end = log.findIndex((event) => event.position === position);
  expect(log[end]).toMatchObject({ revision });
  expect(log.slice(end + 1 - events.length, end + 1).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
}
