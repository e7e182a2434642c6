import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { countingViews, evenly, manyViews, viewed, viewsOf } from '../../tests/support/countingViews.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { asUuid } from '../../tests/support/ids.ts';
import type { RecordedEvent } from '../core/event.ts';
import type { VideoViewed } from '../features/views/events.ts';
import { createPool } from '../postgres/pool.ts';
import type pg from 'pg';
import { createProjectingTest, type ProjectingTest, type RunningProjector } from '../../tests/support/projecting.ts';
import { fc } from '../../tests/support/property.ts';
import { projectionConsumer, type Consumer } from './consumer.ts';
import { defineProjection } from './projection.ts';
import { int8, personal, table, text, uuid } from './tables/table.ts';
import { upsert } from './tables/upsert.ts';
import { createWrittenRows } from './writtenRows.ts';

let t: ProjectingTest;
beforeEach(async () => {
  t = await createProjectingTest();
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

const counting = (name: string, options?: Parameters<typeof countingViews>[0]): Consumer => ({
  ...countingViews(options),
  name,
});

async function viewsIn(name: string, { pool } = t): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ video_id: string; views: number }>(`select * from ${name}.seen`);
  return Object.fromEntries(rows.map(({ video_id, views }) => [Number.parseInt(video_id.slice(-12), 16), views]));
}

/** A pool, and the texts of the statements that it has sent. */
function spiedPool(connectionString: string): AsyncDisposable & { readonly pool: pg.Pool; readonly texts: string[] } {
  const pool = createPool({ connectionString, name: 'rows' });
  const texts: string[] = [];
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    client.query = ((...given: unknown[]) => {
      const [first] = given as [string | { text: string }];
      texts.push(typeof first === 'string' ? first : first.text);
      return query(...given);
    }) as typeof client.query;
  });
  return { pool, texts, [Symbol.asyncDispose]: () => pool.end() };
}

/** The transaction that moved the checkpoint last. */
async function lastTransaction(name: string): Promise<string> {
  return (await t.pool.query<{ xmin: string }>(`select xmin::text from ${name}.checkpoints`)).rows[0]!.xmin;
}

test('an event changes the rows and the checkpoints of all projections in one transaction', async () => {
  const names = ['one', 'two', 'three'];
  const { reached } = await t.run(names.map((name) => counting(name)));
  let events = 0;
  const transactionsOfNext = async (): Promise<number> => {
    const position = await t.append(viewsOf(1), viewed(1));
    events++;
    await Promise.all(names.map((name) => reached(name, position)));
    for (const name of names) expect(await viewsIn(name)).toEqual({ 1: events });
    return new Set(await Promise.all(names.map(lastTransaction))).size;
  };
  // A lane that starts, or looks at its checkpoint, may get an event a moment later than the others.
  await eventually(transactionsOfNext, { what: 'they share a transaction', holds: (count) => count === 1 });
});

test('projections that only write take one round trip together', async () => {
  const names = ['one', 'two', 'three'];
  await using spied = spiedPool(t.url);
  const { reached, stop } = await t.run(
    names.map((name) => counting(name)),
    { rows: spied.pool },
  );
  const tripsOfNext = async (): Promise<number> => {
    spied.texts.length = 0;
    const position = await t.append(viewsOf(1), viewed(1));
    await Promise.all(names.map((name) => reached(name, position)));
    return spied.texts.length;
  };
  // A lane that starts, or looks at its checkpoint, may get an event a moment later than the others.
  await eventually(tripsOfNext, { what: 'it is one round trip', holds: (count) => count === 1 });
  await stop();
});

test('personal data is in the text of no statement, which PostgreSQL may write to its log', async () => {
  await using spied = spiedPool(t.url);
  const seen = table('seen', { video_id: uuid, viewer: personal(text) }, { primaryKey: ['video_id'] });
  const naming = defineProjection({
    name: 'naming',
    version: 1,
    tables: [seen],
    handles: ['VideoViewed'],
    async apply(events: readonly RecordedEvent<VideoViewed>[], db) {
      const [{ data }] = events as [RecordedEvent<VideoViewed>];
      await upsert(db, seen, [{ video_id: data.videoId, viewer: data.viewer }]);
    },
  });
  const { reached, stop } = await t.run([projectionConsumer(naming, undefined), counting('two')], { rows: spied.pool });
  await reached('naming', await t.append(viewsOf(1), viewed(1, 'user:Ann')));
  const { rows } = await t.pool.query('select viewer from naming.seen');
  expect(rows).toEqual([{ viewer: 'user:Ann' }]);
  expect(spied.texts.filter((sql) => sql.includes('Ann'))).toEqual([]);
  await stop();
});

test('the rows that answers show are known as soon as their event is applied', async () => {
  const shown = table('shown', { video_id: uuid, views: int8 }, { primaryKey: ['video_id'], returned: true });
  const showing = defineProjection({
    name: 'showing',
    version: 1,
    tables: [shown],
    handles: ['VideoViewed'],
    async apply(events: readonly RecordedEvent<VideoViewed>[], db) {
      const views = Map.groupBy(events, ({ data }) => data.videoId);
      const rows = [...views].map(([video_id, { length }]) => ({ video_id, views: length }));
      await upsert(db, shown, rows, { add: ['views'] });
    },
  });
  const written = createWrittenRows();
  const { reached } = await t.run([projectionConsumer(showing, undefined), counting('two')], { written });
  const [first, second] = [asUuid('video', 1), asUuid('video', 2)];
  let views = 0;
  const next = async (): Promise<bigint> => {
    const position = await t.append(viewsOf(1), viewed(1));
    views++;
    await reached('showing', position);
    return position;
  };
  // A lane that starts does not write in one trip.
  await eventually(async () => written.written(shown, first, { position: await next() }), { what: 'a row is known' });
  const [before, after] = [await next(), await next()];
  // Whoever asks late gets the row that was written last.
  for (const position of [before, after])
    expect(written.written(shown, first, { position })).toEqual({ video_id: first, views: BigInt(views) });
  expect(written.written(shown, second, { position: after })).toBeUndefined();
  expect(written.written(shown, first, { position: after + 1n })).toBeUndefined();
});

test('a projection that reads before it writes shares a transaction with others', async () => {
  const { reached } = await t.run([counting('one', { reads: true }), counting('two')]);
  const transactionsOfNext = async (): Promise<number> => {
    const position = await t.append(viewsOf(1), viewed(1));
    await Promise.all(['one', 'two'].map((name) => reached(name, position)));
    return new Set(await Promise.all(['one', 'two'].map(lastTransaction))).size;
  };
  await eventually(transactionsOfNext, { what: 'they share a transaction', holds: (count) => count === 1 });
  expect(await viewsIn('one')).toEqual(await viewsIn('two'));
});

test('a projection whose checkpoint is locked delays no other, and loses nothing', async () => {
  const { reached } = await t.run([counting('one'), counting('two')]);
  await reached('one', await t.append(viewsOf(1), viewed(1)));
  const client = await t.pool.connect();
  await client.query('begin; select from two.checkpoints for update');
  const position = await t.append(viewsOf(1), viewed(1));
  await reached('one', position);
  expect(await viewsIn('one')).toEqual({ 1: 2 });
  await client.query('commit');
  client.release();
  await reached('two', position);
  expect(await viewsIn('two')).toEqual({ 1: 2 });
});

test('an event that one projection cannot apply is parked there alone; the others have it once', async () => {
  const refuse = (viewer: string): boolean => viewer === 'user:2';
  const { reached } = await t.run([counting('one', { refuse }), counting('two')]);
  await t.append(viewsOf(1), viewed(1), viewed(1, 'user:2'));
  const position = await t.append(viewsOf(2), viewed(2));
  await Promise.all([reached('one', position), reached('two', position)]);
  expect(await viewsIn('one')).toEqual({ 1: 1, 2: 1 });
  expect(await viewsIn('two')).toEqual({ 1: 2, 2: 1 });
  const { rows } = await t.pool.query(`select type, revision from one.parked_events`);
  expect(rows).toEqual([{ type: 'VideoViewed', revision: 1 }]);
  const { rowCount } = await t.pool.query('select from two.parked_events');
  expect(rowCount).toBe(0);
});

test('whatever fails meanwhile, every projection counts every event once', async () => {
  const names = ['one', 'two', 'three'];
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom('cut', 'lock', 'fail'), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 2 }),
      async (partitions, faults, reads, processes) => {
        await using own = await createProjectingTest();
        let failures = 0;
        const refuse = (): boolean => failures-- > 0;
        const consumers = names.map((name, n) => counting(name, n === 1 ? { refuse } : { reads: reads && n === 2 }));
        const [{ reached }] = (await Promise.all(
          Array.from({ length: processes }, () => own.run(consumers, { partitions })),
        )) as [RunningProjector];
        let position = 0n;
        for (const fault of faults) {
          const appending = manyViews(own, 20);
          if (fault === 'fail') failures = 2;
          else if (fault === 'cut')
            await own.pool.query(
              `select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and query ~ 'one|two|three' and pid <> pg_backend_pid()`,
            );
          else await own.pool.query('begin; select from three.checkpoints for update; select pg_sleep(0.01); commit');
          position = await appending;
        }
        await Promise.all(names.map((name) => reached(name, position)));
        for (const name of names) expect(await viewsIn(name, own)).toEqual(evenly(4 * faults.length));
      },
    ),
    { numRuns: 8 },
  );
});
