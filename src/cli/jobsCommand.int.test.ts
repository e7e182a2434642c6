import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import { startFeatures, type FeaturesTest } from '../../tests/support/features.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import { reelstream, type Ended } from '../../tests/support/reelstream.ts';
import { queues } from '../features/index.ts';
import { createJobs } from '../jobs/jobs.ts';
import { inTransaction } from '../projecting/transaction.ts';

// Each command is a process of its own.
jest.setTimeout(120_000);

let t: FeaturesTest;
let folder: string;
const jobs = (line: string): Promise<Ended> =>
  reelstream(`jobs ${line}`, { DATABASE_URL: t.projecting.url, DATA_DIR: folder });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobs-'));
  t = await startFeatures();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The id of a job of a failed video, which a worker has found to be damaged. */
async function failedJob(videoId: string, ownerId: string, id: string): Promise<void> {
  const running = createJobs({ connectionString: t.projecting.url, logger: silent, queues });
  await running.start();
  const queue = queues.find(({ name }) => name === 'process')!;
  const handle = (): Promise<{ failed: string }> => Promise.resolve({ failed: 'It is damaged.' });
  await running.work([{ queue, handle, giveUp: () => Promise.resolve() }]);
  await inTransaction(t.projecting.pool, { schema: 'public' }, (transaction) =>
    running.add(queue, [{ id, ownerId, data: { videoId, correlationId: 'c', causationId: id } }], transaction),
  );
  await eventually(
    async () =>
      (await t.projecting.pool.query(`select from reelstream_jobs.job where state = 'completed'`)).rowCount === 1,
    { what: 'the job has ended' },
  );
  await running.close();
}

test('jobs are listed and failed ones run again, by the same rules as over HTTP', async () => {
  expect(await jobs('list')).toMatchObject({ code: 0, output: 'There are no such jobs.\n' });
  const ann = await t.user('Ann');
  const videoId = await t.video(ann, { until: 'failed' });
  const id = '0198d5b0-7c1e-7b44-9d0f-3a51c7e2f604';
  await failedJob(videoId, ann.id, id);

  expect((await jobs('list --state failed')).output).toMatch(
    new RegExp(`^id +queue +state +video +tries +created +took +error\\n${id} +process +failed +${videoId} +1 `),
  );
  const { output } = await jobs('list --json --limit 1');
  expect(JSON.parse(output)).toMatchObject([{ id, videoId, state: 'failed', error: 'It is damaged.' }]);

  const retried = await jobs(`retry ${id} --json`);
  expect(retried).toMatchObject({ code: 0 });
  const stored = [];
  for await (const event of t.projecting.store.readStream(`video-${videoId}`)) stored.push(event);
  expect(stored.at(-1)).toMatchObject({ type: 'VideoProcessingRetried', ...JSON.parse(retried.output) });

  const refused = await jobs(`retry ${id}`);
  expect([refused.code, refused.output]).toEqual([1, '']);
  expect(refused.errors).toContain('Only a video whose processing failed can be retried');
  expect((await jobs('retry x')).errors).toContain('There is no such job');
  expect((await jobs('list --state lost')).code).toBe(2);
});
