import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import {
  startEventStoreDbDouble,
  type EventStoreDbDouble,
} from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { histories, interleaved } from '../../../tests/support/histories.ts';
import { fc } from '../../../tests/support/property.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { ImportRefused, type EventImport } from '../../core/eventImport.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { all, someEvent, someEvents } from '../contract/eventStoreContract.ts';
import { createEventStoreDbImport } from '../eventStoreDb/eventStoreDbImport.ts';
import { createEventStoreDbStore } from '../eventStoreDb/eventStoreDbEventStore.ts';
import { checkLog } from '../integrity/checkLog.ts';
import { createPostgresEventStore } from '../postgres/postgresEventStore.ts';
import { createPostgresImport } from '../postgres/postgresImport.ts';
import { copyLog, type CopiedLog } from './copyLog.ts';

/** A log, with what a copy needs of it. */
interface Side {
  readonly store: EventStore;
  readonly gapless: boolean;
  readonly imported: EventImport;
}

const parts = new AsyncDisposableStack();
let databases: TestDatabase[];
let first: Side;
let last: Side;

beforeAll(async () => {
  databases = [await createTestDatabase(), await createTestDatabase()];
  [first, last] = databases.map((database) => {
    parts.use(database);
    const store = createPostgresEventStore({ pool: database.pool });
    parts.defer(() => store.close());
    return { store, gapless: true, imported: createPostgresImport(database.pool) };
  }) as [Side, Side];
});
afterAll(() => parts.disposeAsync());
beforeEach(empty);

/** Empties both databases. What has imported to them begins anew. */
async function empty(): Promise<void> {
  for (const { pool } of databases) {
    await pool.query(`
      alter table reelstream.events disable trigger user;
      truncate reelstream.events;
      update reelstream.head set position = 0, log_id = null;
      alter table reelstream.events enable trigger user`);
  }
  [first, last] = [first, last].map((side, n) => ({ ...side, imported: createPostgresImport(databases[n]!.pool) })) as [
    Side,
    Side,
  ];
}

async function openDouble(): Promise<Side & AsyncDisposable & { readonly double: EventStoreDbDouble }> {
  const double = await startEventStoreDbDouble();
  const store = createEventStoreDbStore({ url: double.url });
  const imported = createEventStoreDbImport(double.url);
  return {
    double,
    store,
    gapless: false,
    imported,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([store.close(), imported.close()]);
      await double[Symbol.asyncDispose]();
    },
  };
}

/** The whole log, without its positions, which are those of the store. */
async function logOf({ store }: Side): Promise<Omit<RecordedEvent, 'position'>[]> {
  const pages = await all(store.readAll({ after: 0n, hashes: true }));
  return pages.flatMap(({ events }) => events).map(({ position: _, ...event }) => event);
}

async function someLog(
  { store }: Side,
  streams = ['video-a', 'like-b_c', 'video-a', 'views-d', 'video-a'],
): Promise<void> {
  const text = { text: 'ünïcode ✓ 🎬 "quoted" \\ \u0000 \n \ud800', 7: 1.5e300 };
  for (const stream of streams) await store.append(stream, [someEvent('Tested', text), ...someEvents(2)], 'any');
}

test('a log moved to EventStoreDB and back is the same, event for event', async () => {
  await someLog(first);
  await databases[0]!.pool.query(`
    alter table reelstream.events disable trigger user;
    update reelstream.events set hash = null where stream = 'views-d';
    update reelstream.events set time = time - interval '400 days' where stream = 'views-d'`);
  const before = await logOf(first);
  await using middle = await openDouble();
  const moved = await copyLog({ from: first, to: middle });
  expect(moved).toMatchObject({ events: 15, added: 15, position: 15n, isBehind: false });
  expect(await logOf(middle)).toEqual(before);
  expect(await copyLog({ from: middle, to: last })).toMatchObject({ events: 15, added: 15, digest: moved.digest });
  expect(await logOf(last)).toEqual(before);
  expect(await last.store.head()).toBe(15n);
});

test('the copy is a log like any other: it is written to, and tells its times', async () => {
  await someLog(first);
  await using middle = await openDouble();
  await copyLog({ from: first, to: middle });
  const began = new Date();
  await middle.store.append('video-a', someEvents(1), 8);
  const events = (await all(middle.store.readAll({ after: 0n }))).flatMap((page) => page.events);
  expect(await middle.store.positionBefore(began)).toBe(events.at(-2)!.position);
  expect(await middle.store.positionBefore(events[0]!.time)).toBe(0n);
  const checked = await checkLog({ ...middle, until: await middle.store.head() });
  expect(checked).toMatchObject({ events: 16, withoutTime: 1, broken: undefined });
});

test('the id of a copy is another one, and stays', async () => {
  await someLog(first);
  await using middle = await openDouble();
  expect([await middle.store.logId(), await last.store.logId()]).toEqual([null, null]);
  await copyLog({ from: first, to: middle });
  await copyLog({ from: middle, to: last });
  const ids = async (): Promise<(string | null)[]> =>
    Promise.all([first, middle, last].map(({ store }) => store.logId()));
  const found = await ids();
  expect(new Set(found).size).toBe(3);
  expect(found[0]).toBe((await logOf(first))[0]!.id);
  for (const { store } of [first, middle, last]) await store.append('video-a', someEvents(1), 'any');
  expect(await ids()).toEqual(found);
});

test('a second run copies what was recorded since', async () => {
  await someLog(first);
  await using middle = await openDouble();
  await copyLog({ from: first, to: middle });
  await first.store.append('video-a', someEvents(2), 'any');
  expect(await copyLog({ from: first, to: middle })).toMatchObject({ events: 17, added: 2 });
  expect(await copyLog({ from: first, to: middle })).toMatchObject({ events: 17, added: 0 });
  expect(await logOf(middle)).toEqual(await logOf(first));
});

test('answers that get lost do not double events', async () => {
  await someLog(first);
  await using middle = await openDouble();
  for (const fault of ['dropAfterwards', 'drop', 'dropAfterwards'] as const) middle.double.faults.plan('append', fault);
  await copyLog({ from: first, to: middle });
  expect(await logOf(middle)).toEqual(await logOf(first));
});

describe('refuses', () => {
  const refusal = (from: Side, to: Side): Promise<unknown> =>
    copyLog({ from, to }).then(
      () => undefined,
      (error: unknown) => error,
    );

  test.each(['another log', 'a longer log', 'a log that went on in its own way'])('%s in the target', async (what) => {
    await someLog(first);
    await using middle = await openDouble();
    if (what === 'another log') await someLog(middle);
    else await copyLog({ from: first, to: middle });
    if (what !== 'another log') await middle.store.append('video-e', someEvents(1), 'any');
    if (what === 'a log that went on in its own way') await first.store.append('video-a', someEvents(1), 'any');
    const before = await logOf(middle);
    expect(await refusal(first, middle)).toEqual(
      expect.objectContaining({
        name: 'ImportRefused',
        message: expect.stringContaining('The target has other events'),
      }),
    );
    expect(await logOf(middle)).toEqual(before);
  });

  test('a source that was tampered with, from the first broken event on', async () => {
    await someLog(first);
    await databases[0]!.pool.query(`
      alter table reelstream.events disable trigger user;
      update reelstream.events set type = 'Other' where position = 9`);
    const found = await refusal(first, last);
    expect(found).toMatchObject({ name: 'BrokenLog', side: 'source', broken: { position: 9n } });
  });

  test.each(['PostgreSQL', 'EventStoreDB'])(
    'to go on when something else writes to the target, in %s',
    async (kind) => {
      await someLog(first);
      await using middle = await openDouble();
      const to = kind === 'PostgreSQL' ? last : middle;
      const meddled = { ...to, imported: { ...to.imported, add: meddle(to) } };
      expect(await refusal(first, meddled)).toBeInstanceOf(ImportRefused);
    },
  );

  /** Adds all events but the last; somebody else then appends another one in its place. */
  function meddle({ imported, store }: Side): EventImport['add'] {
    return async (events) => {
      await imported.add(events.slice(0, -1));
      const { stream, revision } = events.at(-1)!;
      await store.append(stream, someEvents(1), revision - 1);
      await imported.add(events.slice(-1));
    };
  }
});

test('however often a copy is interrupted, in the end it is the whole log, once', async () => {
  const cases = histories(2, 1).chain((streams) =>
    fc.tuple(interleaved(streams), fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 })),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([history, interruptions]) => {
      await empty();
      await using middle = await openDouble();
      await first.store.appendMany(
        history.map(({ stream, event }) => ({ stream, events: [{ ...someEvent(), ...event }], expected: 'any' })),
      );
      for (const [from, to] of [
        [first, middle],
        [middle, last],
      ] as const) {
        for (const events of interruptions) await copyUntil(from, to, events);
        await copyLog({ from, to });
      }
      const expected = await logOf(first);
      expect(await logOf(middle)).toEqual(expected);
      expect(await logOf(last)).toEqual(expected);
    }),
    { numRuns: 5 },
  );
});

/** A copy that ends after it has added some events, if there are so many. */
async function copyUntil(from: Side, to: Side, most: number): Promise<CopiedLog | undefined> {
  const add: EventImport['add'] = async (events) => {
    await to.imported.add(events.slice(0, most));
    if (events.length > most) throw new Error('interrupted');
  };
  return copyLog({ from, to: { ...to, imported: { ...to.imported, add } } }).catch(() => undefined);
}
