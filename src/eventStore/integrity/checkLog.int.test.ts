import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { startEventStoreDbDouble } from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { all, someEvent, someEvents } from '../contract/eventStoreContract.ts';
import { createEventStoreDbStore } from '../eventStoreDb/eventStoreDbEventStore.ts';
import { createPostgresEventStore } from '../postgres/postgresEventStore.ts';
import { checkLog, checkStream, type CheckedLog, type CheckLogOptions } from './checkLog.ts';

/*
 * The log of the tests:
 *
 *   position  1    2    3    4    5    6    7    8    9    10
 *   event     a 0  a 1  b 0  a 2  b 1  c 0  a 3  d 0  b 2  a 4
 */
const STREAMS = ['a', 'a', 'b', 'a', 'b', 'c', 'a', 'd', 'b', 'a'].map((name) => `check-${name}`);

describe('a log in PostgreSQL', () => {
  let database: TestDatabase;
  let store: EventStore;

  beforeEach(async () => {
    database = await createTestDatabase();
    store = createPostgresEventStore({ pool: database.pool });
    for (const [n, stream] of STREAMS.entries()) await store.append(stream, [someEvent('Tested', { n })], 'any');
  });
  afterEach(async () => {
    await store.close();
    await database[Symbol.asyncDispose]();
  });

  /** What somebody with access to the tables does. */
  async function tamper(...statements: readonly string[]): Promise<void> {
    await database.pool.query(['alter table reelstream.events disable trigger user', ...statements].join('; '));
  }

  async function check(options: Partial<CheckLogOptions> = {}): Promise<CheckedLog> {
    return checkLog({ store, until: await store.head(), gapless: true, ...options });
  }

  test('that nobody has changed is in order', async () => {
    expect(await check()).toMatchObject({
      events: 10,
      position: 10n,
      withoutHash: 0,
      withoutTime: 0,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await check()).broken).toBeUndefined();
  });

  test.each([
    ['data', `data = '{"n":99}'`],
    ['metadata', `metadata = '{"correlationId":"forged","schemaVersion":1}'`],
    ['type', `type = 'Other'`],
    ['time', `time = time - interval '1 millisecond'`],
    ['id', 'id = gen_random_uuid()'],
    ['hash', `hash = sha256('forged')`],
  ])('is broken at the event whose %s was changed', async (_, change) => {
    await tamper(`update reelstream.events set ${change} where position = 4`);
    const broken = { position: 4n, stream: 'check-a', revision: 2, problem: expect.stringMatching(/^Its hash is/) };
    expect(await check()).toMatchObject({ events: 3, broken });
    expect(await checkStream(store, 'check-a')).toMatchObject({ events: 2, broken });
    expect((await checkStream(store, 'check-b')).broken).toBeUndefined();
  });

  test('is broken at the event after one whose hash was made again to fit', async () => {
    await tamper(
      `update reelstream.events set data = '{"n":99}' where position = 2`,
      `update reelstream.events e set hash = sha256(before.hash
         || sha256(convert_to(concat_ws(e'\n', e.stream, e.id, e.type, e.data, e.metadata), 'UTF8'))
         || int8send(floor(extract(epoch from e.time) * 1000)::bigint))
       from reelstream.events before where e.position = 2 and before.position = 1`,
    );
    expect(await check()).toMatchObject({ broken: { position: 4n, stream: 'check-a', revision: 2 } });
  });

  test('is broken where the contents of two events were swapped', async () => {
    await tamper(
      `update reelstream.events e set data = other.data from reelstream.events other
       where (e.position, other.position) in ((3, 5), (5, 3))`,
    );
    expect(await check()).toMatchObject({ broken: { position: 3n, stream: 'check-b', revision: 0 } });
  });

  test('is broken where two events of a stream were put into another order', async () => {
    await tamper(
      'update reelstream.events set position = -position where position in (3, 5)',
      'update reelstream.events set position = 8 + position where position in (-3, -5)',
    );
    const problem = 'Revision 0 of its stream comes after it in the log, at position 5.';
    expect(await check()).toMatchObject({ broken: { position: 3n, stream: 'check-b', revision: 1, problem } });
    await tamper(
      'update reelstream.events set revision = 10 + revision where position in (3, 5)',
      'update reelstream.events set revision = 11 - revision where position in (3, 5)',
    );
    expect(await check()).toMatchObject({
      broken: { position: 3n, revision: 0, problem: expect.stringMatching(/^Its hash/) },
    });
  });

  test('is broken where an event was deleted, although the positions were closed up', async () => {
    await tamper('delete from reelstream.events where position = 5');
    expect(await check()).toMatchObject({ events: 4, broken: { position: 5n, problem: 'The event is missing.' } });
    expect(await checkStream(store, 'check-b')).toMatchObject({
      broken: { position: 9n, revision: 2, problem: 'Revision 1 of its stream is missing.' },
    });
    await tamper(
      'update reelstream.events set position = -position where position > 5',
      'update reelstream.events set position = -position - 1 where position < 0',
      'update reelstream.head set position = 9',
    );
    expect(await check()).toMatchObject({ broken: { position: 8n, stream: 'check-b', revision: 2 } });
    await tamper('update reelstream.events set revision = 1 where position = 8');
    expect(await check()).toMatchObject({ broken: { position: 8n, problem: expect.stringMatching(/^Its hash/) } });
  });

  test('is broken where the only event of a stream was deleted', async () => {
    await tamper('delete from reelstream.events where position = 6');
    expect(await check()).toMatchObject({ broken: { position: 6n, problem: 'The event is missing.' } });
  });

  test('is broken where an event was inserted', async () => {
    await tamper(
      'update reelstream.events set position = -position where position > 5',
      'update reelstream.events set position = 1 - position where position < 0',
      `update reelstream.events set revision = revision + 1 where stream = 'check-b' and revision = 2`,
      `insert into reelstream.events (position, stream, revision, id, type, data, metadata, time)
       values (6, 'check-b', 2, gen_random_uuid(), 'Tested', '{}', '{}', now())`,
      'update reelstream.head set position = 11',
    );
    const problem = expect.stringMatching(/^It has no hash/);
    expect(await check()).toMatchObject({ broken: { position: 6n, stream: 'check-b', revision: 2, problem } });
    await tamper(`update reelstream.events set hash = sha256('guessed') where position = 6`);
    expect(await check()).toMatchObject({ broken: { position: 6n, problem: expect.stringMatching(/^Its hash/) } });
  });

  test('is broken at its end when the end was deleted and the head was not', async () => {
    await tamper('delete from reelstream.events where position > 8');
    const problem = 'The events up to position 10 are missing.';
    expect(await check()).toMatchObject({ events: 8, broken: { position: 9n, problem } });
  });

  describe('that was sealed', () => {
    const sealed = async (): Promise<Pick<CheckedLog, 'events' | 'digest'>> => check();

    test('still fits when more was appended', async () => {
      const seal = await sealed();
      await store.append('check-a', someEvents(3), 'any');
      expect((await check({ sealed: seal })).broken).toBeUndefined();
    });

    test('lacks the end that was cut off, which nothing else shows', async () => {
      const seal = await sealed();
      await tamper('delete from reelstream.events where position > 8', 'update reelstream.head set position = 8');
      expect((await check()).broken).toBeUndefined();
      const problem = expect.stringContaining('ends here with 8 events, and the seal is of 10');
      expect(await check({ sealed: seal })).toMatchObject({ broken: { position: 8n, problem } });
    });

    test('differs when an end was put in the place of another one, with right hashes', async () => {
      const seal = await sealed();
      await tamper('delete from reelstream.events where position > 8', 'update reelstream.head set position = 8');
      await store.append('check-b', someEvents(1), 1);
      await store.append('check-a', someEvents(1), 3);
      expect((await check()).broken).toBeUndefined();
      const problem = expect.stringContaining('not those of the seal');
      expect(await check({ sealed: seal })).toMatchObject({ broken: { position: 10n, problem } });
    });

    test('differs when events of different streams were put into another order', async () => {
      const seal = await sealed();
      await tamper(
        'update reelstream.events set position = -position where position in (5, 6)',
        'update reelstream.events set position = 11 + position where position in (-5, -6)',
      );
      expect((await check()).broken).toBeUndefined();
      expect(await check({ sealed: seal })).toMatchObject({ broken: { position: 10n } });
    });
  });

  describe('whose first events are from before there were hashes', () => {
    beforeEach(() => tamper('update reelstream.events set hash = null'));

    test('is checked as far as that goes, and the chain of a stream begins at its first hash', async () => {
      await store.append('check-a', someEvents(2), 4);
      await store.append('check-e', someEvents(2), 'none');
      expect(await check()).toMatchObject({ events: 14, withoutHash: 10, lastWithoutHash: 10n });
      expect((await check()).broken).toBeUndefined();
      await tamper(`update reelstream.events set data = '{}' where position = 11`);
      expect(await check()).toMatchObject({ broken: { position: 11n, stream: 'check-a', revision: 5 } });
    });

    test('is broken where one of them is missing, and a seal shows what was changed', async () => {
      const seal = await check();
      await tamper(`update reelstream.events set data = '{}' where position = 3`);
      expect((await check()).broken).toBeUndefined();
      expect((await check({ sealed: seal })).broken).toBeDefined();
      await tamper('delete from reelstream.events where position = 7');
      expect(await checkStream(store, 'check-a')).toMatchObject({ broken: { position: 10n, revision: 4 } });
    });

    test('is broken at an event that has no hash after one in its stream that has', async () => {
      await store.append('check-a', someEvents(2), 4);
      await tamper('update reelstream.events set hash = null where position = 12');
      expect(await check()).toMatchObject({
        broken: { position: 12n, problem: expect.stringMatching(/^It has no hash/) },
      });
    });

    test('is broken at an event that has no hash a day after the first hashes', async () => {
      await store.append('check-a', someEvents(1), 4);
      await store.append('check-f', someEvents(2), 'none');
      await tamper(
        `update reelstream.events set hash = null where stream = 'check-f'`,
        `update reelstream.events set time = time + interval '1 hour' where position = 12`,
        `update reelstream.events set time = time + interval '25 hours' where position = 13`,
      );
      const problem = expect.stringContaining('events have hashes since');
      expect(await check()).toMatchObject({ events: 12, broken: { position: 13n, problem } });
    });
  });

  test('can be checked from a position, and is broken where the link to an earlier event is', async () => {
    expect(await check({ after: 6n })).toMatchObject({ events: 4, position: 10n });
    expect((await check({ after: 6n })).broken).toBeUndefined();
    await tamper(`update reelstream.events set hash = sha256('forged') where position = 4`);
    expect(await check({ after: 6n })).toMatchObject({ broken: { position: 7n, stream: 'check-a', revision: 3 } });
    await tamper(`delete from reelstream.events where position = 4`);
    const problem = 'Revision 2 of its stream is missing.';
    expect(await check({ after: 6n })).toMatchObject({ broken: { position: 7n, problem } });
  });

  test('records hashes also for a process of an older program, which calls the function of 0001', async () => {
    await database.pool.query(`select reelstream.append_events(
      '{check-a,check-z}', '{1,2}', '{4,-1}', '{1,1}', array[gen_random_uuid(), gen_random_uuid()],
      '{Tested,Tested}', array['{"old":1}', '{"old":2}']::json[], array['{}', '{}']::json[])`);
    expect(await check()).toMatchObject({ events: 12, withoutHash: 0 });
    expect((await check()).broken).toBeUndefined();
  });
});

describe('a log in EventStoreDB', () => {
  let parts: AsyncDisposableStack;
  let store: EventStore;
  let log: Awaited<ReturnType<typeof startEventStoreDbDouble>>['log'];

  beforeAll(async () => {
    parts = new AsyncDisposableStack();
    const double = parts.use(await startEventStoreDbDouble());
    ({ log } = double);
    store = createEventStoreDbStore({ url: double.url });
    parts.defer(() => store.close());
    for (const [n, stream] of STREAMS.entries()) await store.append(stream, [someEvent('Tested', { n })], 'any');
  });
  afterAll(() => parts[Symbol.asyncDispose]());

  test('is checked as one in PostgreSQL, but for the times', async () => {
    const check = async (): Promise<CheckedLog> => checkLog({ store, until: await store.head(), gapless: false });
    expect(await check()).toMatchObject({ events: 10, withoutHash: 0, withoutTime: 10 });
    expect((await check()).broken).toBeUndefined();
    const [, second] = await all(store.readStream('check-b'));
    const stored = log.events.find(({ id }) => id === second!.id)!;
    Object.assign(stored, { data: Buffer.from('{"n":99}') });
    const place = { position: second!.position, stream: 'check-b', revision: 1 };
    expect(await check()).toMatchObject({ events: 4, broken: place });
  });
});
