import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import { createQueryDatabase } from '../postgres/queryDatabase.ts';
import { inTransaction } from '../projecting/transaction.ts';
import { AttemptKilled } from './attempts.ts';
import { createJobList, type JobList } from './jobList.ts';
import type { JobRetry } from './jobRetry.ts';
import type { Job } from './jobRow.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { defineQueue, type NewJob, type QueueWorker } from './queue.ts';

interface Parcel {
  readonly parcel: string;
}

const retries = { limit: 1, delaySeconds: 0, maxDelaySeconds: 1 };
const parcels = defineQueue<Parcel>({
  name: 'parcels',
  givesUp: true,
  retries,
  logFields: ({ parcel }) => ({ parcel }),
});
const letters = defineQueue<Parcel>({ name: 'letters', retries });
const crates = defineQueue<Parcel>({ name: 'crates', givesUp: true, retries: { ...retries, limit: 5 } });
const queues = [parcels, letters, crates];
const context = { correlationId: 'test', now: new Date() };

let database: TestDatabase;
let db: Kysely<never>;
let open: Jobs[] = [];
const databases: TestDatabase[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
  databases.push(database);
  db = createQueryDatabase(database.pool);
});
afterEach(async () => {
  await Promise.all(open.map((jobs) => jobs.close()));
  open = [];
});
afterAll(async () => {
  for (const each of databases) await each[Symbol.asyncDispose]();
});

const listOf = (own: readonly JobRetry[] = []): JobList => createJobList({ db, queues, retries: own });
const all = async (list: JobList): Promise<readonly Job[]> => (await list.page({ limit: 100 })).jobs;
const job = (parcel: string, ownerId: string = randomUUID()): NewJob<Parcel> => ({
  id: randomUUID(),
  ownerId,
  data: { parcel },
});

async function start(
  handle?: QueueWorker<Parcel>['handle'],
  queue = parcels,
  giveUp: QueueWorker<Parcel>['giveUp'] = () => Promise.resolve(),
): Promise<Jobs> {
  const jobs = createJobs({ connectionString: database.url, logger: silent, queues, pollSeconds: 0.5 });
  open.push(jobs);
  await jobs.start();
  if (handle !== undefined) await jobs.work([{ queue, handle, giveUp }]);
  return jobs;
}

const add = (jobs: Jobs, queue: typeof parcels, ...added: NewJob<Parcel>[]): Promise<void> =>
  inTransaction(database.pool, { schema: 'public' }, (transaction) => jobs.add(queue, added, transaction));
const ended = async (list: JobList, count: number): Promise<readonly Job[]> =>
  eventually(() => all(list), {
    what: `${count} jobs have ended`,
    within: 30_000,
    holds: (found) => found.filter(({ endedAt }) => endedAt !== undefined).length === count,
  });

describe('the list of jobs', () => {
  test('is empty before any process has made the tables', async () => {
    expect(await listOf().page({ limit: 10 })).toEqual({ jobs: [], nextCursor: undefined });
    expect(await listOf().counts()).toEqual({ waiting: 0, running: 0, failed: 0, done: 0, cancelled: 0 });
    await expect(listOf().retry(randomUUID(), context)).rejects.toMatchObject({ code: 'job_not_found' });
  });

  test('says how each job went: done, failed with the reason that was recorded, failed after its attempts, killed', async () => {
    const jobs = await start(({ parcel }) => {
      if (parcel === 'damaged') return Promise.resolve({ failed: 'It is damaged.' });
      if (parcel === 'away') return Promise.reject(new Error('the store is away'));
      if (parcel === 'killed') return Promise.reject(new AttemptKilled(new Error('out of memory')));
      return Promise.resolve();
    });
    const owner = randomUUID();
    await add(jobs, parcels, job('good', owner), job('damaged'), job('away'));
    const found = await ended(listOf(), 3);
    const of = (parcel: string): Job => found.find(({ about }) => about['parcel'] === parcel)!;
    expect(of('good')).toMatchObject({
      state: 'done',
      ownerId: owner,
      attempts: 1,
      error: undefined,
      queue: 'parcels',
    });
    expect(of('damaged')).toMatchObject({ state: 'failed', attempts: 1, error: 'It is damaged.' });
    expect(of('away')).toMatchObject({ state: 'failed', attempts: 2, error: 'the store is away' });
    for (const { tookMs, waitedMs, startedAt, endedAt } of found) {
      expect(tookMs).toBe(endedAt!.getTime() - startedAt!.getTime());
      expect(waitedMs).toBeLessThan(30_000);
    }
    expect(await listOf().counts()).toEqual({ waiting: 0, running: 0, failed: 2, done: 1, cancelled: 0 });
  }, 60_000);

  test('shows a job that waits without an attempt, and the payload without what the engine keeps in it', async () => {
    const jobs = await start();
    const added = job('later');
    await add(jobs, parcels, added);
    expect(await all(listOf())).toMatchObject([
      { id: added.id, state: 'waiting', attempts: 0, startedAt: undefined, tookMs: undefined, payload: added.data },
    ]);
  });

  test('is paged from the newest to the oldest, and filtered by state and queue', async () => {
    const jobs = await start();
    const added = Array.from({ length: 7 }, (_, n) => job(`${n}`));
    // One transaction: all of them have the same time.
    await add(jobs, parcels, ...added.slice(0, 5));
    await add(jobs, letters, ...added.slice(5));
    const seen: string[] = [];
    const ids = [added[1]!.id, added[6]!.id, randomUUID()];
    expect((await listOf().page({ limit: 10, ids })).jobs.map(({ id }) => id)).toEqual([added[6]!.id, added[1]!.id]);
    expect(await listOf().counts(ids)).toMatchObject({ waiting: 2 });
    let cursor: string | undefined;
    do {
      const page = await listOf().page({ limit: 2, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.jobs.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(added.map(({ id }) => id).toSorted());
    expect(new Set(seen.slice(0, 2))).toEqual(new Set(added.slice(5).map(({ id }) => id)));
    expect((await listOf().page({ limit: 10, queue: 'letters' })).jobs).toHaveLength(2);
    expect((await listOf().page({ limit: 10, state: 'failed' })).jobs).toEqual([]);
    expect((await listOf().page({ limit: 10, state: 'waiting', queue: 'parcels' })).jobs).toHaveLength(5);
  });

  test('keeps failed jobs for a week and others for a day', async () => {
    const jobs = await start(({ parcel }) => Promise.resolve(parcel === 'bad' ? { failed: 'It is bad.' } : undefined));
    const [good, bad] = [job('good'), job('bad')];
    await add(jobs, parcels, good, bad);
    await ended(listOf(), 2);
    const { rows } = await database.pool.query<{ id: string; days: number }>(
      'select id, deletion_seconds / 86400 as days from reelstream_jobs.job',
    );
    expect(new Map(rows.map(({ id, days }) => [id, days]))).toEqual(
      new Map([
        [good.id, 1],
        [bad.id, 7],
      ]),
    );
  }, 60_000);
});

describe('a retry', () => {
  test('puts a failed job back once, whoever asks at the same time, with as many attempts as a new one', async () => {
    let [broken, tries] = [true, 0];
    const jobs = await start(() => (tries++, broken ? Promise.reject(new Error('away')) : Promise.resolve()), letters);
    const added = job('x');
    await add(jobs, letters, added);
    await ended(listOf(), 1);
    expect(tries).toBe(2);
    const asked = await Promise.allSettled([1, 2, 3].map(() => listOf().retry(added.id, context)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toMatchObject([{ value: { id: added.id } }]);
    expect(asked.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'job_not_failed' } },
      { reason: { code: 'job_not_failed' } },
    ]);
    await eventually(() => tries === 4, { what: 'it has failed twice more', within: 30_000 });
    await ended(listOf(), 1);
    broken = false;
    await listOf().retry(added.id, context);
    const [done] = await eventually(() => all(listOf()), {
      what: 'it is done',
      within: 30_000,
      holds: ([found]) => found!.state === 'done',
    });
    expect(done).toMatchObject({ attempts: 5, error: undefined });
    await expect(listOf().retry(added.id, context)).rejects.toMatchObject({ code: 'job_not_failed' });
  }, 60_000);

  test('of a job that was killed too often forgets the kills', async () => {
    let [kills, givenUp] = [0, 0];
    const jobs = await start(
      () => (kills++ < 3 ? Promise.reject(new AttemptKilled(new Error('out of memory'))) : Promise.resolve()),
      crates,
      () => Promise.resolve(void givenUp++),
    );
    const added = job('x');
    await add(jobs, crates, added);
    const [failed] = await ended(listOf(), 1);
    expect(failed).toMatchObject({ state: 'failed', error: expect.stringContaining('out of memory') });
    await listOf().retry(added.id, context);
    await eventually(async () => (await all(listOf()))[0]!.state === 'done', { what: 'it is done', within: 30_000 });
    expect([kills, givenUp]).toEqual([4, 1]);
  }, 60_000);

  test('is done by the feature where the failure is recorded', async () => {
    const asked: unknown[] = [];
    const own: JobRetry<Parcel> = {
      queue: parcels,
      retry: (payload) => {
        asked.push(payload);
        return Promise.resolve({ id: 'new', appended: undefined });
      },
    };
    const jobs = await start(() => Promise.resolve({ failed: 'It is damaged.' }));
    const added = job('x');
    await add(jobs, parcels, added);
    await ended(listOf(), 1);
    expect(await listOf([own as JobRetry]).retry(added.id, context)).toEqual({ id: 'new', appended: undefined });
    expect(asked).toEqual([added.data]);
    expect((await all(listOf()))[0]!.state).toBe('failed');
  }, 60_000);
});
