import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clip } from '../../tests/support/clips.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { createMediaRig, silent, type MediaRig } from '../../tests/support/mediaRig.ts';
import { inTransaction } from '../projecting/transaction.ts';
import { AttemptKilled } from './attempts.ts';
import {
  createMediaJobs,
  type MediaJob,
  type MediaJobHandlers,
  type MediaJobs,
  type NewMediaJob,
} from './mediaJobs.ts';

const job = (ownerId: string = randomUUID()): NewMediaJob => ({
  id: randomUUID(),
  ownerId,
  data: { videoId: randomUUID(), correlationId: 'c', causationId: 'e' },
});
const unused = (): Promise<never> => Promise.reject(new Error('not expected here'));

describe('the queue', () => {
  let database: TestDatabase;
  const open: MediaJobs[] = [];
  const start = async (handlers?: Partial<MediaJobHandlers>, options = {}): Promise<MediaJobs> => {
    const jobs = createMediaJobs({ connectionString: database.url, logger: silent, ...options });
    open.push(jobs);
    await jobs.start();
    if (handlers !== undefined)
      await jobs.work({ process: unused, remove: unused, giveUp: unused, giveUpKilled: unused, ...handlers });
    return jobs;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((jobs) => jobs.close()));
  });
  afterAll(async () => database[Symbol.asyncDispose]());

  test('a job is there when its transaction commits, and not when it does not; adding it again adds nothing', async () => {
    const seen: string[] = [];
    const jobs = await start({ process: ({ videoId }) => Promise.resolve(void seen.push(videoId)) });
    const [lost, added] = [job(), job()];
    await expect(
      inTransaction(database.pool, { schema: 'public' }, async ({ client }) => {
        await jobs.add('process', [lost], client);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    for (let twice = 0; twice < 2; twice++) {
      await inTransaction(database.pool, { schema: 'public' }, ({ client }) => jobs.add('process', [added], client));
      await eventually(() => seen.length > 0, { what: 'it has run', every: 5 });
    }
    const marker = job();
    await inTransaction(database.pool, { schema: 'public' }, ({ client }) => jobs.add('process', [marker], client));
    await eventually(() => seen.includes(marker.data.videoId), { what: 'a later one has run' });
    expect(seen).toEqual([added.data.videoId, marker.data.videoId]);
  });

  /** Seconds: so long that whatever happens sooner is not the poll's doing. */
  const pollSeconds = 60;

  test('a worker hears of a job at once', async () => {
    let heard = false;
    const jobs = await start({ process: () => Promise.resolve(void (heard = true)) }, { pollSeconds });
    await inTransaction(database.pool, { schema: 'public' }, ({ client }) => jobs.add('process', [job()], client));
    await eventually(() => heard, { what: 'it has heard', every: 5 });
  });

  test('a job that fails is tried again, and given up in the end', async () => {
    let tries = 0;
    const { promise, resolve } = Promise.withResolvers<[MediaJob, unknown]>();
    const jobs = await start(
      {
        process: () => {
          tries += 1;
          return Promise.reject(new Error('the store is away'));
        },
        giveUp: (...given) => Promise.resolve(resolve(given)),
      },
      { retries: { retryLimit: 2, retryDelay: 0 } },
    );
    const added = job();
    await inTransaction(database.pool, { schema: 'public' }, ({ client }) => jobs.add('process', [added], client));
    expect(await promise).toEqual([added.data, expect.objectContaining({ message: 'the store is away' })]);
    expect(tries).toBe(3);
  }, 60_000);

  test("a worker is told when its job is another one's by now", async () => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const added = job();
    const jobs = await start({
      process: async (_job, _signal, confirmClaim) => {
        await confirmClaim().catch(reject);
        // As when a worker was stopped for so long that its heartbeats were missed, and another one has begun.
        await database.pool.query('update reelstream_jobs.job set retry_count = retry_count + 1 where id = $1', [
          added.id,
        ]);
        await confirmClaim().then(() => reject(new Error('it is confirmed')), resolve);
      },
    });
    await inTransaction(database.pool, { schema: 'public' }, ({ client }) => jobs.add('process', [added], client));
    expect(await promise).toMatchObject({ message: expect.stringMatching(/another worker/) });
    await database.pool.query('delete from reelstream_jobs.job where id = $1', [added.id]);
  });

  const add = (jobs: MediaJobs, ...added: NewMediaJob[]): Promise<void> =>
    inTransaction(database.pool, { schema: 'public' }, ({ client }) => jobs.add('process', added, client));

  test('users take turns: a clip of one does not wait for twelve of another, in whatever process they are added', async () => {
    const [adding, alsoAdding] = [await start(), await start()];
    const [ann, bob] = [randomUUID(), randomUUID()];
    const many = Array.from({ length: 12 }, () => job(ann));
    await Promise.all(many.map((each, n) => add(n % 2 === 0 ? adding : alsoAdding, each)));
    const single = job(bob);
    await add(adding, single);
    const seen: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    await start({
      process: async ({ videoId }) => {
        seen.push(videoId);
        if (seen.length === 13) gate.resolve(undefined);
      },
    });
    await gate.promise;
    expect(seen.indexOf(single.data.videoId)).toBeLessThanOrEqual(1);
    expect(new Set(seen)).toEqual(new Set([...many, single].map(({ data }) => data.videoId)));
  }, 60_000);

  /** A handler that runs until it is aborted. */
  const endless =
    (begun: (job: MediaJob) => void): MediaJobHandlers['process'] =>
    (given, signal) =>
      new Promise((_resolve, reject) => {
        begun(given);
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });

  test('a job that is cancelled ends soon in the process that runs it, is not tried again, and lets the next begin', async () => {
    const [doomed, waiting, next] = [job(), job(), job()];
    const begun: string[] = [];
    const manager = await start();
    await add(manager, doomed, waiting, next);
    await start({ process: endless(({ videoId }) => void begun.push(videoId)) });
    await eventually(() => begun.length === 1, { what: 'one runs' });
    const ended =
      begun[0] === doomed.data.videoId
        ? [doomed, waiting]
        : begun[0] === waiting.data.videoId
          ? [waiting, doomed]
          : [next, doomed];
    const cancelled = performance.now();
    await inTransaction(database.pool, { schema: 'public' }, ({ client }) =>
      manager.cancel(
        ended.map(({ data }) => data.videoId),
        client,
      ),
    );
    await eventually(() => begun.length === 2, { what: 'the next runs', within: 30_000 });
    // Two seconds, and as many as a busy machine takes. A heartbeat is missed only after fifteen.
    expect(performance.now() - cancelled).toBeLessThan(12_000);
    expect(ended.map(({ data }) => data.videoId)).not.toContain(begun[1]);
    const { rows } = await database.pool.query(
      `select state from reelstream_jobs.job where data->>'videoId' = any($1)`,
      [ended.map(({ data }) => data.videoId)],
    );
    expect(rows).toEqual([{ state: 'cancelled' }, { state: 'cancelled' }]);
    await inTransaction(database.pool, { schema: 'public' }, ({ client }) =>
      manager.cancel(
        [doomed, waiting, next].map(({ data }) => data.videoId),
        client,
      ),
    );
  }, 60_000);

  test('a job that is killed three times is given up; one whose engine is away goes on, however often', async () => {
    const [killed, delayed] = [job(), job()];
    let [kills, delays] = [0, 0];
    const { promise, resolve } = Promise.withResolvers<MediaJob>();
    const done = Promise.withResolvers<undefined>();
    const jobs = await start(
      {
        process: ({ videoId }) => {
          if (videoId === killed.data.videoId) return Promise.reject(new AttemptKilled(new Error(`kill ${++kills}`)));
          if (++delays < 5) return Promise.reject(new Error('the store is away'));
          return Promise.resolve(done.resolve(undefined));
        },
        giveUpKilled: (given) => Promise.resolve(resolve(given)),
      },
      { retries: { retryLimit: 20, retryDelay: 0 } },
    );
    await add(jobs, killed, delayed);
    expect(await promise).toEqual(killed.data);
    await done.promise;
    expect([kills, delays]).toEqual([3, 5]);
  }, 60_000);

  test('a worker that stops hands its job to another at once', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
    let taken = false;
    const first = await start({
      process: (_job, signal) =>
        new Promise((_resolve, reject) => {
          begin(undefined);
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        }),
    });
    await inTransaction(database.pool, { schema: 'public' }, ({ client }) => first.add('process', [job()], client));
    await begun;
    await start({ process: () => Promise.resolve(void (taken = true)) }, { pollSeconds });
    await first.close();
    await eventually(() => taken, { what: 'the other has taken it', every: 5 });
  });
});

describe('a worker process', () => {
  let rig: MediaRig;
  const running: ChildProcess[] = [];
  const startProcess = async (alone?: 'alone'): Promise<{ child: ChildProcess; transcoding: Promise<unknown> }> => {
    const script = join(import.meta.dirname, '../../tests/support/mediaWorkerProcess.ts');
    const child = spawn(
      process.execPath,
      [script, rig.database.url, rig.folder, ...(alone === undefined ? [] : [alone])],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    running.push(child);
    const { promise: ready, resolve } = Promise.withResolvers<undefined>();
    const transcoding = Promise.withResolvers<undefined>();
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line === 'ready') resolve(undefined);
      if (Number(line.split(' ')[1]) > 40) transcoding.resolve(undefined);
    });
    await ready;
    return { child, transcoding: transcoding.promise };
  };
  /** Holds the worker's FFmpeg where it is, so that it does not come to its end while something else happens. It can be killed all the same. */
  const holdTranscode = async ({ pid }: ChildProcess): Promise<void> => {
    for (const ffmpeg of await ffmpegsIn(join(rig.folder, 'scratch'), pid!)) process.kill(Number(ffmpeg), 'SIGSTOP');
  };
  const done = (videoId: string): Promise<unknown> =>
    eventually(async () => (await rig.events(videoId))[1]?.type === 'VideoProcessed', {
      what: 'the video is processed',
      within: 90_000,
    });

  beforeAll(async () => {
    rig = await createMediaRig();
    await clip('slow');
  }, 60_000);
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
  });
  afterAll(async () => rig[Symbol.asyncDispose]());

  test('killed in the middle of a transcode is replaced in good time, and nothing of it is left', async () => {
    const videoId = await rig.upload(await clip('slow'));
    const first = await startProcess();
    await first.transcoding;
    await holdTranscode(first.child);
    first.child.kill('SIGKILL');
    const killed = performance.now();
    const second = await startProcess();
    await second.transcoding;
    // A heartbeat, a look after those that are missed, and a retry: some 30 s on a machine that has the time.
    expect(performance.now() - killed).toBeLessThan(100_000);
    await done(videoId);
    expect((await rig.events(videoId)).map(({ type }) => type)).toEqual(['VideoUploaded', 'VideoProcessed']);
    expect(await rig.keys(videoId)).toHaveLength(3);
    await eventually(
      async () => !(await readdir(join(rig.folder, 'scratch'))).some((name) => name.includes(`.${first.child.pid}.`)),
      { what: 'its folder is swept' },
    );
    await expect(ffmpegsIn(join(rig.folder, 'scratch'), first.child.pid!)).resolves.toEqual([]);
  }, 180_000);

  test('that is alone and killed takes its job up as soon as it is started again', async () => {
    const videoId = await rig.upload(await clip('slow'));
    const first = await startProcess('alone');
    await first.transcoding;
    await holdTranscode(first.child);
    // Not because a heartbeat was missed, however long the next process takes to start.
    await rig.database.pool.query(
      `update reelstream_jobs.job set heartbeat_seconds = 3600 where data->>'videoId' = $1`,
      [videoId],
    );
    first.child.kill('SIGKILL');
    const second = await startProcess('alone');
    const { rows } = await rig.database.pool.query<{ output: unknown }>(
      `select output from reelstream_jobs.job where data->>'videoId' = $1`,
      [videoId],
    );
    expect(rows).toEqual([{ output: { message: 'its worker was killed' } }]);
    await second.transcoding;
    await done(videoId);
  }, 180_000);

  test('killed three times in the middle of a transcode is not given the video a fourth time: it has failed, by our fault', async () => {
    const videoId = await rig.upload(await clip('slow'));
    for (let death = 1; death <= 3; death++) {
      const { child, transcoding } = await startProcess('alone');
      await transcoding;
      await holdTranscode(child);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await startProcess('alone');
    const failed = await eventually(async () => (await rig.events(videoId))[1], { what: 'it is over', within: 60_000 });
    expect(failed).toMatchObject({
      type: 'VideoProcessingFailed',
      data: { reason: expect.stringMatching(/fault on our side/) },
    });
    expect(await rig.keys(videoId)).toHaveLength(1);
  }, 180_000);

  test('told to stop hands its transcode over, and ends by itself with code 0', async () => {
    const videoId = await rig.upload(await clip('slow'));
    const first = await startProcess();
    await first.transcoding;
    await holdTranscode(first.child);
    const second = await startProcess();
    first.child.kill('SIGTERM');
    const [[code]] = await Promise.all([once(first.child, 'exit'), second.transcoding]);
    expect(code).toBe(0);
    await done(videoId);
  }, 180_000);
});

async function ffmpegsIn(folder: string, worker: number): Promise<string[]> {
  const { readFile } = await import('node:fs/promises');
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(folder) && command.includes(`.${worker}.`)) found.push(pid);
  }
  return found;
}
