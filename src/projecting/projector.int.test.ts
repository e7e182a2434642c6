import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pino from 'pino';
import { countedViews, countingViews, evenly, manyViews, viewed, viewsOf } from '../../tests/support/countingViews.ts';
import { asUuid } from '../../tests/support/ids.ts';
import { createProjectingTest, type ProjectingTest } from '../../tests/support/projecting.ts';
import { startTcpProxy } from '../../tests/support/tcpProxy.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { createPool } from '../postgres/pool.ts';
import { EventStoreUnavailable } from '../core/eventStore.ts';
import { StartError } from '../core/startError.ts';
import { readCheckpoints } from './checkpoints.ts';
import type { Consumer } from './consumer.ts';
import { createProgressTracker } from './progress/progressTracker.ts';
import { ensureLayout } from './rebuilding/layout.ts';
import { RebuildUnderWay } from './rebuilding/exclusively.ts';
import { rebuild } from './rebuilding/rebuild.ts';
import { consumerStatus } from './status.ts';
import { verify } from './rebuilding/verify.ts';

let t: ProjectingTest;
beforeEach(async () => {
  t = await createProjectingTest();
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

const views = (): Promise<Record<string, number>> => countedViews(t.pool);

interface ParkedEvent {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly error: string;
  readonly attempts: number;
}

async function parkedEvents(): Promise<ParkedEvent[]> {
  return (await t.pool.query<ParkedEvent>('select * from counting.parked_events order by position')).rows;
}

describe('a running projector', () => {
  test('applies past and new events, and reports its position', async () => {
    await t.append(viewsOf(1), viewed(1), viewed(1));
    const { reached, progress } = await t.run([countingViews()]);
    const position = await t.append(viewsOf(2), viewed(2));
    await reached('counting', position);
    expect(await views()).toEqual({ 1: 2, 2: 1 });
    expect(progress.position('counting')).toBe(position);
    expect(await progress.waitFor('counting', position + 1n, { timeoutMs: 20 })).toBe(false);
  });

  test('passes events of other types, and writes its checkpoint behind them within seconds', async () => {
    const { reached } = await t.run([countingViews()]);
    const position = await t.append('session-1', {
      type: 'SessionRefreshed',
      data: { sessionId: 's', userId: 'u', expiresAt: '', at: '' },
    });
    await reached('counting', position);
    await eventually(async () => (await readCheckpoints(t.pool, 'counting'))[0]!.position === position, {
      what: 'the checkpoint is written',
    });
  });

  test('two at once, on one database, count everything once', async () => {
    const [one, other] = [await t.run([countingViews()]), await t.run([countingViews()])];
    const position = await manyViews(t, 500);
    await Promise.all([one.reached('counting', position), other.reached('counting', position)]);
    expect(await views()).toEqual({ 0: 100, 1: 100, 2: 100, 3: 100, 4: 100 });
  });

  test('several that start at the same moment on an empty database log no error', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
    // More than one consumer, since only a session that has run statements has something in its catalog cache.
    const names = Array.from({ length: 3 }, (_, n) => `counting_${n}`);
    const consumers = names.map((name) => ({ ...countingViews(), name }));
    // Each with its own connections, as a process has them: waiting for those of the others would be another fault.
    const pools = [1, 2, 3].map((n) => createPool({ connectionString: t.url, name: `projector ${n}`, max: 10 }));
    const projectors = await Promise.all(pools.map((rows) => t.run(consumers, { logger, rows })));
    const position = await t.append(viewsOf(1), viewed(1));
    for (const { reached } of projectors) await Promise.all(names.map((name) => reached(name, position)));
    for (const projector of projectors) await projector.stop();
    await Promise.all(pools.map((pool) => pool.end()));
    expect(lines).toEqual([]);
  });

  test('whose connections are cut again and again counts everything once', async () => {
    const { reached } = await t.run([countingViews()]);
    let done = false;
    const cutting = (async () => {
      while (!done) {
        await t.pool
          .query(
            `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%counting%' and pid <> pg_backend_pid()`,
          )
          .catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    let position = 0n;
    for (let round = 0; round < 10; round++) position = await manyViews(t, 50);
    done = true;
    await cutting;
    await reached('counting', position);
    // The last connection that was cut may still be closing.
    await eventually(views, { what: 'all is counted once', holds: (counts) => isDeepStrictEqual(counts, evenly(100)) });
  });

  test('goes back to its checkpoint when the server has lost the last commits, also when nothing follows', async () => {
    const { reached } = await t.run([countingViews()]);
    const first = await t.append(viewsOf(1), viewed(1));
    await reached('counting', first);
    await reached('counting', await t.append(viewsOf(1), viewed(1), viewed(2)));
    await t.pool.query(`
      update counting.checkpoints set position = ${first};
      update counting.seen set views = 1 where video_id = '${asUuid('video', 1)}';
      delete from counting.seen where video_id = '${asUuid('video', 2)}'`);
    await eventually(views, {
      what: 'all views are counted',
      holds: (counts) => isDeepStrictEqual(counts, { 1: 2, 2: 1 }),
    });
  });

  test('takes another connection when one has gone silent', async () => {
    await using proxy = await startTcpProxy(t.url);
    const pool = createPool({ connectionString: proxy.url, name: 'silent', queryTimeoutMs: 500 });
    const { reached, stop } = await t.run([countingViews()], { rows: pool });
    await reached('counting', await t.append(viewsOf(1), viewed(1)));
    proxy.silence();
    await reached('counting', await t.append(viewsOf(1), viewed(1)));
    expect(await views()).toEqual({ 1: 2 });
    await stop();
    await pool.end();
  });

  test('checks all its consumers side by side, so that they wait for an unavailable log together', async () => {
    const { head } = t.store;
    const allAsked = Promise.withResolvers<void>();
    let asked = 0;
    // The source asks as well, so two would also ask one after the other.
    const unavailable = async (): Promise<bigint> => {
      if (++asked === 3) allAsked.resolve();
      await allAsked.promise;
      throw new EventStoreUnavailable('the log is unavailable');
    };
    Object.assign(t.store, { head: unavailable });
    const consumers = ['a', 'b', 'counting'].map((name) => ({ ...countingViews(), name }));
    const { projector, reached } = await t.run(consumers);
    expect(projector.states()).toEqual({ a: 'failing', b: 'failing', counting: 'failing' });
    Object.assign(t.store, { head });
    const position = await manyViews(t, 5);
    for (const { name } of consumers) await reached(name, position);
  });

  test('does not start on the read models of another log', async () => {
    const { reached, stop } = await t.run([countingViews()]);
    await reached('counting', await t.append(viewsOf(1), viewed(1)));
    await stop();
    await t.pool.query(`update counting.checkpoints set log_id = 'another'`);
    await expect(t.run([countingViews()])).rejects.toThrow(
      /"counting" was made from another event log .* drop the schema/,
    );
    await t.pool.query(`update counting.checkpoints set log_id = null, position = position + 1000`);
    await expect(t.run([countingViews()])).rejects.toThrow(
      /"counting" is at position 1001, but the event log ends at 1/,
    );
  });
});

describe('an event that cannot be applied', () => {
  const poison = countingViews({ refuse: (viewer) => viewer === 'poison' });

  test('is parked with the later events of its stream, and the others are applied', async () => {
    const { reached } = await t.run([poison]);
    await reached('counting', await t.append(viewsOf(1), viewed(1)));
    const bad = await t.append(viewsOf(1), viewed(1, 'poison'));
    const behind = await t.append(viewsOf(1), viewed(1));
    await reached('counting', await t.append(viewsOf(2), viewed(2)));
    expect(await views()).toEqual({ 1: 1, 2: 1 });
    expect(await parkedEvents()).toMatchObject([
      {
        position: bad,
        stream: viewsOf(1),
        revision: 1,
        type: 'VideoViewed',
        error: 'cannot apply poison',
        attempts: expect.any(Number),
      },
      { position: behind, attempts: 0, error: 'an earlier event of its stream is parked' },
    ]);
    expect(await consumerStatus({ pool: t.pool, store: t.store }, poison)).toMatchObject({
      parkedEvents: 2,
      lagEvents: 0,
      lagSeconds: 0,
    });
  });

  test('is found in the middle of a large batch', async () => {
    const events = Array.from({ length: 300 }, (_, n) => viewed(n % 7, n === 200 ? 'poison' : 'user:1'));
    for (const event of events)
      if (event.type === 'VideoViewed') await t.append(`views-${event.data.videoId}_2025-01-30`, event);
    const { reached } = await t.run([poison]);
    await reached('counting', await t.store.head());
    const total = Object.values(await views()).reduce((sum, count) => sum + count, 0);
    const parked = await parkedEvents();
    expect(total + parked.length).toBe(300);
    expect(new Set(parked.map(({ stream }) => stream))).toEqual(new Set([viewsOf(200 % 7)]));
    expect(parked[0]!.position).toBe(201n);
  });

  test('is applied with the later events of its stream, in order, by a rebuild once the cause is fixed', async () => {
    const { reached } = await t.run([poison]);
    await t.append(viewsOf(1), viewed(1, 'poison'), viewed(1));
    await reached('counting', await t.append(viewsOf(2), viewed(2)));
    await rebuild(t.of(countingViews()));
    expect(await parkedEvents()).toEqual([]);
    await reached('counting', await t.append(viewsOf(1), viewed(1)));
    expect(await views()).toEqual({ 1: 3, 2: 1 });
  });
});

describe('a rebuild', () => {
  test('while events arrive ends with the rows that live delivery made, and live delivery continues', async () => {
    const consumer = countingViews();
    const { reached } = await t.run([consumer]);
    await manyViews(t, 300);
    const [flowing] = await Promise.all([
      (async () => {
        for (let round = 0; round < 20; round++) await manyViews(t, 25);
      })(),
      (async () => {
        for (let round = 0; round < 4; round++)
          await rebuild({ ...t.of(consumer), onProgress: ({ position, head }) => expect(position <= head).toBe(true) });
      })(),
    ]);
    expect(flowing).toBeUndefined();
    await reached('counting', await manyViews(t, 200));
    expect(await views()).toEqual({ 0: 200, 1: 200, 2: 200, 3: 200, 4: 200 });
    expect(await verify(t.of(consumer))).toMatchObject({
      projection: 'counting',
      identical: true,
      tables: [{ rows: 5 }],
    });
    const { rows } = await t.pool.query(`select nspname from pg_namespace where nspname like 'counting%'`);
    expect(rows).toEqual([{ nspname: 'counting' }]);
  });

  test('continues from its checkpoint after an interruption', async () => {
    await manyViews(t, 20);
    const consumer = countingViews();
    const stopped = new AbortController();
    await expect(
      rebuild({
        ...t.of({
          ...consumer,
          apply: (events, transaction) =>
            consumer.apply(events, transaction).finally(() => stopped.abort(new Error('killed'))),
        }),
        signal: stopped.signal,
      }),
    ).rejects.toThrow('killed');
    const [halfway] = await readCheckpoints(t.pool, 'counting__next');
    expect(halfway!.position).toBe(20n);
    const taken: bigint[] = [];
    await t.append(viewsOf(1), viewed(1));
    await rebuild(
      t.of({
        ...consumer,
        apply: (events, transaction) => (
          taken.push(...events.map(({ position }) => position)),
          consumer.apply(events, transaction)
        ),
      }),
    );
    expect(taken).toEqual([21n]);
    expect(await views()).toEqual({ 0: 4, 1: 5, 2: 4, 3: 4, 4: 4 });
  });

  test('happens by itself when an older version is in place, which serves until then', async () => {
    const old = await t.run([countingViews()]);
    await old.reached('counting', await manyViews(t, 10));
    await old.stop();
    const { reached } = await t.run([countingViews({ version: 2, factor: 10 })]);
    await reached('counting', await manyViews(t, 5));
    expect(await views()).toEqual({ 0: 30, 1: 30, 2: 30, 3: 30, 4: 30 });
    expect((await readCheckpoints(t.pool, 'counting'))[0]!.version).toBe(2);
  });

  test('ends the work of a process of the older version, which then changes nothing', async () => {
    const old = await t.run([countingViews()]);
    await old.reached('counting', await manyViews(t, 5));
    const { reached } = await t.run([countingViews({ version: 2, factor: 10 })]);
    await reached('counting', await manyViews(t, 5));
    await eventually(async () => (await readCheckpoints(t.pool, 'counting'))[0]!.version === 2, {
      what: 'the new version is in place',
    });
    await reached('counting', await manyViews(t, 5));
    await eventually(() => old.projector.states()['counting'] === 'superseded', {
      what: 'the old process has stopped applying',
    });
    expect(await views()).toEqual({ 0: 30, 1: 30, 2: 30, 3: 30, 4: 30 });
  });

  test('does not replace a newer version by an older one, unless an operator asks for it', async () => {
    const newer = await t.run([countingViews({ version: 2, factor: 10 })]);
    await newer.reached('counting', await manyViews(t, 5));
    const older = countingViews();
    const { projector } = await t.run([older]);
    await eventually(() => projector.states()['counting'] === 'superseded', { what: 'the older program gives way' });
    await rebuild({ ...t.of(older), onlyIfOlder: true });
    await newer.reached('counting', await manyViews(t, 5));
    expect(await views()).toEqual(evenly(20));
    await newer.stop();
    await rebuild(t.of(older));
    expect(await views()).toEqual(evenly(2));
    await eventually(() => projector.states()['counting'] === 'running', {
      what: 'the older program goes on with its own version',
    });
  });

  test('happens by itself when another variant of the same version is in place, which serves until then', async () => {
    const old = await t.run([countingViews()]);
    await old.reached('counting', await manyViews(t, 10));
    await old.stop();
    const release = Promise.withResolvers<void>();
    const tenfold = countingViews({ variant: 'tenfold', factor: 10 });
    const progress = createProgressTracker([tenfold]);
    const { reached, projector } = await t.run(
      [{ ...tenfold, apply: (...batch) => release.promise.then(() => tenfold.apply(...batch)) }],
      { progress },
    );
    await eventually(() => projector.states()['counting'] === 'rebuilding', {
      what: 'the other variant is being built',
    });
    expect([progress.state('counting'), await views()]).toEqual(['rebuilding', evenly(2)]);
    release.resolve();
    await eventually(() => progress.state('counting') === 'current', { what: 'the other variant is in place' });
    await reached('counting', await manyViews(t, 5));
    expect(await views()).toEqual(evenly(30));
    expect(await consumerStatus(t, tenfold)).toMatchObject({
      version: 1,
      variant: 'tenfold',
      declaredVariant: 'tenfold',
    });
  });

  test('of another variant ends the work of a process with the former one', async () => {
    const former = await t.run([countingViews()]);
    await former.reached('counting', await manyViews(t, 5));
    const { reached } = await t.run([countingViews({ variant: 'tenfold', factor: 10 })]);
    await eventually(async () => (await readCheckpoints(t.pool, 'counting'))[0]!.variant === 'tenfold', {
      what: 'the other variant is in place',
    });
    await reached('counting', await manyViews(t, 5));
    await eventually(() => former.projector.states()['counting'] === 'superseded', {
      what: 'the former process has stopped applying',
    });
    expect(await views()).toEqual(evenly(20));
  });

  test('does not continue with the half-built tables of another variant', async () => {
    await manyViews(t, 20);
    const stopped = new AbortController();
    const tenfold = countingViews({ variant: 'tenfold', factor: 10 });
    const apply: Consumer['apply'] = (...batch) =>
      tenfold.apply(...batch).finally(() => stopped.abort(new Error('killed')));
    await expect(rebuild({ ...t.of({ ...tenfold, apply }), signal: stopped.signal })).rejects.toThrow('killed');
    await rebuild(t.of(countingViews()));
    expect(await views()).toEqual(evenly(4));
  });

  test('keeps the checkpoints that an older program created, which have no variant', async () => {
    const old = await t.run([countingViews()]);
    const position = await manyViews(t, 10);
    await old.reached('counting', position);
    await old.stop();
    await t.pool.query('alter table counting.checkpoints drop column variant');
    expect((await readCheckpoints(t.pool, 'counting'))[0]).toMatchObject({ version: 1, variant: '' });
    const same = await t.run([countingViews()]);
    await same.reached('counting', position);
    await same.stop();
    expect(await views()).toEqual(evenly(2));
    await t.pool.query('alter table counting.checkpoints drop column variant');
    const { reached } = await t.run([countingViews({ variant: 'tenfold', factor: 10 })]);
    await reached('counting', await manyViews(t, 5));
    await eventually(async () => (await readCheckpoints(t.pool, 'counting'))[0]!.variant === 'tenfold', {
      what: 'the other variant is in place',
    });
    await reached('counting', await manyViews(t, 5));
    expect(await views()).toEqual(evenly(40));
  });

  test('of one projection does not wait for that of another', async () => {
    const blocked = ['a', 'b'].map((name) => ({ ...countingViews({ version: 2 }), name }));
    const consumers = [...blocked, countingViews({ version: 2 })];
    const old = await t.run(consumers.map((consumer) => ({ ...consumer, version: 1 })));
    const position = await manyViews(t, 5);
    for (const { name } of consumers) await old.reached(name, position);
    await old.stop();
    const release = Promise.withResolvers<void>();
    const [slow, bad, good] = consumers as [Consumer, Consumer, Consumer];
    const { projector, reached } = await t.run([
      { ...slow, apply: (...batch) => release.promise.then(() => slow.apply(...batch)) },
      { ...bad, createTables: () => Promise.reject(new Error('cannot create tables')) },
      good,
    ]);
    await eventually(
      () => isDeepStrictEqual(projector.states(), { a: 'rebuilding', b: 'failing', counting: 'running' }),
      { what: 'the third projection is rebuilt while the others are not' },
    );
    expect((await readCheckpoints(t.pool, 'counting'))[0]!.version).toBe(2);
    release.resolve();
    await reached('a', position);
  });

  test('reports its progress, and refuses a second one meanwhile', async () => {
    await manyViews(t, 100);
    const seen: bigint[] = [];
    const counting = countingViews();
    let second: Promise<void> | undefined;
    const busy: Consumer = {
      ...counting,
      async apply(events, transaction) {
        await (second ??= expect(rebuild(t.of(counting))).rejects.toThrow(RebuildUnderWay));
        await counting.apply(events, transaction);
      },
    };
    await rebuild({ ...t.of(busy), onProgress: ({ position }) => seen.push(position) });
    expect(second).toBeDefined();
    expect(seen.at(-1)).toBe(100n);
    expect(await views()).toEqual(evenly(20));
    expect(await consumerStatus(t, counting)).toMatchObject({ position: 100n, version: 1, rebuild: undefined });
  });
});

describe('the tables of a projection', () => {
  /** As `countingViews`, with one more column. */
  function withColumn(version: number): Consumer {
    const counting = countingViews();
    return {
      ...counting,
      version,
      fingerprint: () => Promise.resolve('with one more column'),
      async createTables(transaction) {
        await counting.createTables(transaction);
        await transaction.client.query('alter table seen add more int');
      },
    };
  }

  test('that change without a new version are refused at the start, with a sentence that says what to do', async () => {
    const { stop } = await t.run([countingViews()]);
    await stop();
    await expect(t.run([withColumn(1)])).rejects.toThrow(
      new StartError(
        'The declaration of the projection "counting" creates other tables than those in place, but its version is still 1. Raise its version (in its declaration, or in the list of counts that its declaration takes it from): the next start then builds the new tables beside the old ones.',
      ),
    );
    const { reached } = await t.run([withColumn(2)]);
    await reached('counting', await manyViews(t, 5));
    expect(await views()).toEqual(evenly(1));
    await eventually(async () => (await t.pool.query('select more from counting.seen')).rowCount === 5, {
      what: 'the new tables are in place',
    });
    await expect(t.run([{ ...withColumn(2), fingerprint: countingViews().fingerprint }])).rejects.toThrow(StartError);
  });

  test('are identified at the first start when an older program created them', async () => {
    const { stop } = await t.run([countingViews()]);
    await stop();
    await t.pool.query('drop table counting.tables_fingerprint');
    await (await t.run([countingViews()])).stop();
    await expect(t.run([withColumn(1)])).rejects.toThrow(StartError);
  });

  test('are built beside the empty ones when the log is long', async () => {
    await manyViews(t, 1_500);
    const release = Promise.withResolvers<void>();
    const counting = countingViews();
    const { projector, reached, progress } = await t.run(
      [{ ...counting, apply: (...batch) => release.promise.then(() => counting.apply(...batch)) }],
      { progress: createProgressTracker([counting]) },
    );
    await eventually(() => projector.states()['counting'] === 'rebuilding', { what: 'the tables are being built' });
    expect(progress.state('counting')).toBe('rebuilding');
    expect(await views()).toEqual({});
    release.resolve();
    await eventually(() => progress.state('counting') === 'current', { what: 'the tables are in place' });
    await reached('counting', await manyViews(t, 5));
    expect(await views()).toEqual(evenly(301));
  });
});

describe('the status of a projection', () => {
  test('reports how far behind it is, in events and in seconds, before there has been any start', async () => {
    await t.append(viewsOf(1), viewed(1), viewed(1));
    await t.append('session-1', {
      type: 'SessionRefreshed',
      data: { sessionId: 's', userId: 'u', expiresAt: '', at: '' },
    });
    const status = await consumerStatus(t, countingViews());
    expect(status).toMatchObject({ version: undefined, position: 0n, head: 3n, lagEvents: 2, declaredVersion: 1 });
    expect(status.lagSeconds).toBeGreaterThan(0);
  });
});

describe('the layout of the checkpoints', () => {
  test('can change between one partition and many, without loss or repetition', async () => {
    const consumer = countingViews();
    const first = await t.run([consumer]);
    await first.reached('counting', await manyViews(t, 50));
    await ensureLayout(t.of(consumer), 6);
    // The direct lane finds that its checkpoint was replaced, and changes nothing any more.
    await manyViews(t, 50);
    await first.stop();
    expect(
      (await readCheckpoints(t.pool, 'counting')).map(({ partition, partitions }) => [partition, partitions]),
    ).toEqual([0, 1, 2, 3, 4, 5].map((n) => [n, 6]));
    await ensureLayout(t.of(consumer), 1);
    const { reached } = await t.run([consumer]);
    await reached('counting', await t.store.head());
    expect(await views()).toEqual({ 0: 20, 1: 20, 2: 20, 3: 20, 4: 20 });
    expect(await verify(t.of(consumer))).toMatchObject({ identical: true });
  });

  test('is changed once when several processes change it at the same time', async () => {
    const consumer = countingViews();
    const first = await t.run([consumer]);
    await first.reached('counting', await manyViews(t, 50));
    await first.stop();
    for (const partitions of [3, 1, 4, 2]) {
      await Promise.all(Array.from({ length: 4 }, () => ensureLayout(t.of(consumer), partitions)));
      expect((await readCheckpoints(t.pool, 'counting')).map(({ position }) => position)).toEqual(
        Array(partitions).fill(50n),
      );
    }
    expect(await views()).toEqual(evenly(10));
  });
});
