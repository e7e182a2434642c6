import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import { inTransaction } from '../projecting/transaction.ts';
import { AttemptKilled } from './attempts.ts';
import { createJobs, type Jobs, type JobsOptions, type JobTransaction } from './jobs.ts';
import { defineQueue, type GivenUp, type JobRun, type NewJob, type Queue, type QueueWorker } from './queue.ts';

/** As a feature would bring it. */
interface Parcel {
  readonly parcel: string;
}

const createParcels = (retries = {}): Queue<Parcel> =>
  defineQueue<Parcel>({ name: 'parcels', fair: true, givesUp: true, retries });
const parcels = createParcels();

const job = (ownerId: string = randomUUID()): NewJob<Parcel> => ({
  id: randomUUID(),
  ownerId,
  data: { parcel: randomUUID() },
});
const unexpected = (): Promise<never> => Promise.reject(new Error('not expected here'));

/** A handler that runs until it is aborted. */
const endless =
  (begun: (payload: Parcel) => void) =>
  (payload: Parcel, { signal }: JobRun): Promise<void> =>
    new Promise((_resolve, reject) => {
      begun(payload);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });

describe('jobs', () => {
  let database: TestDatabase;
  const open: Jobs[] = [];
  const startWith = async (queues: readonly Queue[], options: Partial<JobsOptions> = {}): Promise<Jobs> => {
    const jobs = createJobs({ connectionString: database.url, logger: silent, queues, ...options });
    open.push(jobs);
    await jobs.start();
    return jobs;
  };
  const start = async (
    worker?: Partial<QueueWorker<Parcel>>,
    { retries, ...options }: Partial<JobsOptions> & { retries?: object } = {},
  ): Promise<Jobs> => {
    const queue = createParcels(retries);
    const jobs = await startWith([queue], options);
    if (worker !== undefined) await jobs.work([{ queue, handle: unexpected, giveUp: unexpected, ...worker }]);
    return jobs;
  };
  const inOne = (work: (transaction: JobTransaction) => Promise<void>): Promise<void> =>
    inTransaction(database.pool, { schema: 'public' }, work);
  const add = (jobs: Jobs, ...added: NewJob<Parcel>[]): Promise<void> =>
    inOne((transaction) => jobs.add(parcels, added, transaction));

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((jobs) => jobs.close()));
  });
  afterAll(async () => database[Symbol.asyncDispose]());

  test('a job is there when its transaction commits, and not when it does not; adding it again adds nothing', async () => {
    const seen: string[] = [];
    const jobs = await start({ handle: ({ parcel }) => Promise.resolve(void seen.push(parcel)) });
    const [lost, added] = [job(), job()];
    await expect(
      inOne(async (transaction) => {
        await jobs.add(parcels, [lost], transaction);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    for (let twice = 0; twice < 2; twice++) {
      await add(jobs, added);
      await eventually(() => seen.length > 0, { what: 'it has run', every: 5 });
    }
    const marker = job();
    await add(jobs, marker);
    await eventually(() => seen.includes(marker.data.parcel), { what: 'a later one has run' });
    expect(seen).toEqual([added.data.parcel, marker.data.parcel]);
  });

  /** Seconds: so long that whatever happens sooner is not caused by the poll. */
  const pollSeconds = 60;

  test('a worker hears of a job at once', async () => {
    let heard = false;
    const jobs = await start({ handle: () => Promise.resolve(void (heard = true)) }, { pollSeconds });
    await add(jobs, job());
    await eventually(() => heard, { what: 'it has heard', every: 5 });
  });

  test('a worker takes the next job as soon as it is done with one', async () => {
    const waiting = [job(), job(), job(), job()];
    await add(await start(), ...waiting);
    const seen: string[] = [];
    await start({ handle: ({ parcel }) => Promise.resolve(void seen.push(parcel)) }, { pollSeconds });
    await eventually(() => seen.length === waiting.length, { what: 'all have run', every: 5 });
  });

  test('a job that fails is tried again, and given up in the end', async () => {
    let tries = 0;
    const { promise, resolve } = Promise.withResolvers<[Parcel, GivenUp]>();
    const jobs = await start(
      {
        handle: () => {
          tries += 1;
          return Promise.reject(new Error('the store is away'));
        },
        giveUp: (...given) => Promise.resolve(resolve(given)),
      },
      { retries: { limit: 2, delaySeconds: 0, maxDelaySeconds: 1 }, pollSeconds: 0.5 },
    );
    const added = job();
    await add(jobs, added);
    expect(await promise).toEqual([
      added.data,
      { killed: false, cause: expect.objectContaining({ message: 'the store is away' }) },
    ]);
    expect(tries).toBe(3);
  }, 60_000);

  test('a worker is told when another worker has its job by now', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const added = job();
    const jobs = await start({
      handle: async (_payload, { confirmClaim }) => {
        await confirmClaim().catch(reject);
        // As when a worker was stopped for so long that its heartbeats were missed, and another one has begun.
        await database.pool.query('update reelstream_jobs.job set retry_count = retry_count + 1 where id = $1', [
          added.id,
        ]);
        await confirmClaim().then(() => reject(new Error('it is confirmed')), resolve);
      },
    });
    await add(jobs, added);
    expect(await promise).toMatchObject({ message: expect.stringMatching(/another worker/) });
    await database.pool.query('delete from reelstream_jobs.job where id = $1', [added.id]);
  });

  test('users take turns: a job of one does not wait for twelve of another, whichever processes add them', async () => {
    const [adding, alsoAdding] = [await start(), await start()];
    const [ann, bob] = [randomUUID(), randomUUID()];
    const many = Array.from({ length: 12 }, () => job(ann));
    await Promise.all(many.map((each, n) => add(n % 2 === 0 ? adding : alsoAdding, each)));
    const single = job(bob);
    await add(adding, single);
    const seen: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    await start({
      handle: async ({ parcel }) => {
        seen.push(parcel);
        if (seen.length === 13) gate.resolve(undefined);
      },
    });
    await gate.promise;
    expect(seen.indexOf(single.data.parcel)).toBeLessThanOrEqual(1);
    expect(new Set(seen)).toEqual(new Set([...many, single].map(({ data }) => data.parcel)));
  }, 60_000);

  test('a job without a turn runs after all that have one, and delays no turn', async () => {
    const jobs = await start();
    const [ann, bob] = [randomUUID(), randomUUID()];
    const behind = [job(ann), job(bob)].map((each) => ({ ...each, background: true }));
    await add(jobs, ...behind);
    // One of them has run: what came before must not count as a turn.
    let seen: string[] = [];
    const note = ({ parcel }: Parcel): Promise<void> => Promise.resolve(void seen.push(parcel));
    const first = await start({ handle: note });
    await eventually(() => seen.length === 2, { what: 'they have run' });
    await first.close();
    seen = [];
    const more = { ...job(ann), background: true };
    const [ofAnn, ofBob] = [job(ann), job(bob)];
    await add(jobs, more, ofAnn, ofBob);
    await start({ handle: note });
    await eventually(() => seen.length === 3, { what: 'all have run' });
    expect(seen).toEqual([ofAnn, ofBob, more].map(({ data }) => data.parcel));
    const { rows } = await database.pool.query<{ priority: number }>(
      `select priority from reelstream_jobs.job where id = any($1)`,
      [[ofAnn.id, ofBob.id]],
    );
    for (const { priority } of rows) expect(Math.abs(priority)).toBeLessThan(1_000);
  }, 60_000);

  test('a job is added unless one like it waits or runs, whichever processes add it', async () => {
    const [adding, alsoAdding] = [await start(), await start()];
    const parcel = randomUUID();
    const like = (): NewJob<Parcel> => ({ ...job(), data: { parcel } });
    const once = (jobs: Jobs, ...added: NewJob<Parcel>[]): Promise<string[]> =>
      inTransaction(database.pool, { schema: 'public' }, (transaction) =>
        jobs.addUnlessOpen(parcels, added, 'parcel', transaction),
      );
    const other = job();
    const [[one], [two, three]] = await Promise.all([once(adding, like()), once(alsoAdding, like(), other)]);
    expect([one, three]).toEqual([two, other.id]);
    const running = await start({ handle: endless(() => undefined), concurrency: 2 });
    await eventually(
      async () =>
        (
          await database.pool.query(`select from reelstream_jobs.job where state = 'active' and id = any($1)`, [
            [one, three],
          ])
        ).rowCount === 2,
      { what: 'both run' },
    );
    expect(await once(adding, like())).toEqual([one]);
    await running.close();
    await inOne((transaction) => adding.cancel(parcels, [{ parcel }, other.data], transaction));
    const again = like();
    expect(await once(adding, again)).toEqual([again.id]);
    await inOne((transaction) => adding.cancel(parcels, [{ parcel }], transaction));
  }, 60_000);

  test('a job that is cancelled ends soon in the process that runs it, is not tried again, and lets the next begin', async () => {
    const added = [job(), job(), job()];
    const begun: string[] = [];
    const manager = await start();
    const cancel = (cancelled: readonly NewJob<Parcel>[]): Promise<void> =>
      inOne((transaction) =>
        manager.cancel(
          parcels,
          cancelled.map(({ data }) => data),
          transaction,
        ),
      );
    await add(manager, ...added);
    await start({ handle: endless(({ parcel }) => void begun.push(parcel)) });
    await eventually(() => begun.length === 1, { what: 'one runs' });
    const running = added.findIndex(({ data }) => data.parcel === begun[0]);
    const ended = [added[running]!, added[(running + 1) % 3]!];
    const cancelled = performance.now();
    await cancel(ended);
    await eventually(() => begun.length === 2, { what: 'the next runs', within: 30_000 });
    // Two seconds, and as many as a busy machine takes. A heartbeat is missed only after fifteen.
    expect(performance.now() - cancelled).toBeLessThan(12_000);
    expect(ended.map(({ data }) => data.parcel)).not.toContain(begun[1]);
    const { rows } = await database.pool.query(
      `select state from reelstream_jobs.job where data->>'parcel' = any($1)`,
      [ended.map(({ data }) => data.parcel)],
    );
    expect(rows).toEqual([{ state: 'cancelled' }, { state: 'cancelled' }]);
    await cancel(added);
  }, 60_000);

  test('a job that is killed three times is given up; one that fails goes on, however often', async () => {
    const [killed, delayed] = [job(), job()];
    let [kills, delays] = [0, 0];
    const { promise, resolve } = Promise.withResolvers<[Parcel, GivenUp]>();
    const done = Promise.withResolvers<undefined>();
    const jobs = await start(
      {
        handle: ({ parcel }) => {
          if (parcel === killed.data.parcel) return Promise.reject(new AttemptKilled(new Error(`kill ${++kills}`)));
          if (++delays < 5) return Promise.reject(new Error('the store is away'));
          return Promise.resolve(done.resolve(undefined));
        },
        giveUp: (...given) => Promise.resolve(resolve(given)),
      },
      { retries: { limit: 20, delaySeconds: 0, maxDelaySeconds: 1 }, pollSeconds: 0.5 },
    );
    await add(jobs, killed, delayed);
    expect(await promise).toEqual([killed.data, { killed: true, cause: expect.any(AttemptKilled) }]);
    await done.promise;
    expect([kills, delays]).toEqual([3, 5]);
  }, 60_000);

  test('a worker that stops hands its job to another at once', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
    let taken = false;
    const first = await start({ handle: endless(() => begin(undefined)) });
    await add(first, job());
    await begun;
    await start({ handle: () => Promise.resolve(void (taken = true)) }, { pollSeconds });
    await first.close();
    await eventually(() => taken, { what: 'the other has taken it', every: 5 });
  });

  test('a queue may let each of its jobs run once more after a while', async () => {
    const echoes = defineQueue<Parcel>({ name: 'echoes', repeatAfterSeconds: 1 });
    const heard: [parcel: string, at: number][] = [];
    const jobs = await startWith([echoes], { pollSeconds: 0.5 });
    const worker: QueueWorker<Parcel> = {
      queue: echoes,
      handle: ({ parcel }) => Promise.resolve(void heard.push([parcel, performance.now()])),
    };
    await jobs.work([worker]);
    const added = job();
    for (let twice = 0; twice < 2; twice++) await inOne((transaction) => jobs.add(echoes, [added], transaction));
    const marker = job();
    await eventually(() => heard.length >= 2, { what: 'it has run again' });
    await inOne((transaction) => jobs.add(echoes, [marker], transaction));
    await eventually(() => heard.length >= 4, { what: 'a later one has run twice' });
    expect(heard.map(([parcel]) => parcel)).toEqual([added, added, marker, marker].map(({ data }) => data.parcel));
    expect(heard[1]![1] - heard[0]![1]).toBeGreaterThan(500);
  }, 60_000);

  test('several queues run side by side, each with a worker and options of its own', async () => {
    const letters = defineQueue<{ readonly letter: number }>({ name: 'letters', timeoutSeconds: 77 });
    const seen: unknown[] = [];
    const jobs = await startWith([parcels, letters]);
    await jobs.work([
      { queue: letters, concurrency: 2, handle: (payload) => Promise.resolve(void seen.push(payload)) },
      { queue: parcels, handle: (payload) => Promise.resolve(void seen.push(payload)), giveUp: unexpected },
    ]);
    const [parcel, letter] = [job(), { ...job(), data: { letter: 5 } }];
    await inOne(async (transaction) => {
      await jobs.add(parcels, [parcel], transaction);
      await jobs.add(letters, [letter], transaction);
    });
    await eventually(() => seen.length === 2, { what: 'both have run' });
    expect(seen).toEqual(expect.arrayContaining([parcel.data, letter.data]));
    const { rows } = await database.pool.query(
      `select name, expire_seconds, dead_letter from reelstream_jobs.queue where name in ('letters', 'parcels') order by name`,
    );
    expect(rows).toEqual([
      { name: 'letters', expire_seconds: 77, dead_letter: null },
      { name: 'parcels', expire_seconds: 1200, dead_letter: 'parcels-dead' },
    ]);
  });

  test('two queues of one name, and a worker that cannot give up what it must, are refused', async () => {
    const options = { connectionString: database.url, logger: silent };
    expect(() => createJobs({ ...options, queues: [parcels, createParcels()] })).toThrow(/parcels/);
    const jobs = await startWith([parcels]);
    await expect(jobs.work([{ queue: parcels, handle: unexpected }])).rejects.toThrow(/parcels needs giveUp/);
  });
});
