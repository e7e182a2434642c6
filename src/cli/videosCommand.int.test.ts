import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../tests/support/features.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import { reelstream, type Ended } from '../../tests/support/reelstream.ts';
import { queues } from '../features/index.ts';
import { createJobs } from '../jobs/jobs.ts';
import { startHeartbeats } from '../postgres/processes.ts';

// Each command is a process of its own.
jest.setTimeout(120_000);

const KEY = randomBytes(32).toString('base64');
let t: FeaturesTest;
let folder: string;
let ann: FeatureUser;
const makeExtras = (line: string): Promise<Ended> =>
  reelstream(`videos make-extras ${line}`, { DATABASE_URL: t.projecting.url, DATA_DIR: folder, DATA_KEY: KEY });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'videos-'));
  t = await startFeatures();
  ann = await t.user('Ann');
}, 60_000);
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface StoredJob {
  readonly videoId: string;
  readonly priority: number;
}

const jobs = async (): Promise<StoredJob[]> =>
  (
    await t.projecting.pool.query<StoredJob>(
      `select data ->> 'videoId' as "videoId", priority from reelstream_jobs.job where name = 'extras' order by created_on, id`,
    )
  ).rows;

test('the extras of videos that have none are asked for, once, and what becomes of them is shown', async () => {
  const [first, second] = [await t.video(ann), await t.video(ann)];
  await t.video(ann, { until: 'failed' });
  const deleted = await t.video(ann);
  await t.call('DELETE', `/api/v1/video/${deleted}`, { token: ann.token });

  const asked = await makeExtras(`${first} --no-wait`);
  expect(asked).toEqual({ code: 0, output: 'The media workers will make what 1 of 1 videos lack.\n', errors: '' });
  // No media worker runs, so there is nothing to wait for.
  const waiting = await makeExtras('--all');
  expect(waiting).toMatchObject({ code: 0, output: 'The media workers will make what 2 of 2 videos lack.\n' });
  expect(waiting.errors).toBe('No media worker is running. The jobs wait for one.\n');
  expect(await makeExtras('--all --no-wait --json')).toMatchObject({ code: 0, errors: '' });
  const LAST = -(2 ** 31);
  expect(await jobs()).toEqual([
    { videoId: first, priority: LAST },
    { videoId: second, priority: LAST },
  ]);

  const ended = await whileWorking(second, () => makeExtras('--all'));
  expect(ended.code).toBe(1);
  expect(ended.output).toBe('1 of 2 videos now have a ladder, a storyboard and a preview.\n');
  expect(ended.errors).toMatch(/^\d+ % \d of 2 videos\n/);
  expect(ended.errors).toContain(`\n${second}: It is damaged.\n`);
});

/** Runs a media worker during `work`. It fails the job of one video; no job makes anything. */
async function whileWorking(failing: string, work: () => Promise<Ended>): Promise<Ended> {
  const identity = { role: 'media', pid: process.pid, host: 'test', version: '0' };
  const appended = (): Promise<number> => Promise.resolve(0);
  const heartbeats = startHeartbeats({
    pool: t.projecting.pool,
    identity,
    appended,
    masterKeys: () => [],
    logger: silent,
  });
  const running = createJobs({ connectionString: t.projecting.url, logger: silent, queues, pollSeconds: 0.5 });
  await running.start();
  await running.work([
    {
      queue: queues.find(({ name }) => name === 'extras')!,
      handle: (payload) =>
        Promise.resolve((payload as StoredJob).videoId === failing ? { failed: 'It is damaged.' } : undefined),
      giveUp: () => Promise.resolve(),
    },
  ]);
  try {
    return await work();
  } finally {
    await running.close();
    await heartbeats.close();
  }
}

test('a command line that names no video, an unknown one, or one that cannot be played is refused, and adds no job', async () => {
  const before = await jobs();
  const [ready, failed] = [await t.video(ann), await t.video(ann, { until: 'failed' })];
  for (const line of ['', `--all ${ready}`])
    expect(await makeExtras(line)).toMatchObject({ code: 2, errors: expect.stringContaining('or give --all') });
  const unknown = randomUUID();
  expect(await makeExtras(`${ready} ${unknown}`)).toEqual({
    code: 1,
    output: '',
    errors: `There is no video ${unknown}.\n`,
  });
  expect((await makeExtras(`${ready} ${failed}`)).errors).toBe(`The video ${failed} cannot be played: it is failed.\n`);
  expect(await jobs()).toEqual(before);
});
