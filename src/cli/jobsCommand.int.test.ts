import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { v7 } from 'uuid';
import { eventually } from '../../tests/support/eventually.ts';
import { silent } from '../../tests/support/mediaRig.ts';
import { createProjectingTest, type ProjectingTest } from '../../tests/support/projecting.ts';
import { reelstream, type Ended } from '../../tests/support/reelstream.ts';
import { handleCommand } from '../core/commandHandler.ts';
import { createEventCodec } from '../core/eventCodec.ts';
import { withCodec } from '../eventStore/withCodec.ts';
import { eventTypes, queues } from '../features/index.ts';
import { videoDecider, videoStream, type VideoCommand } from '../features/videos/decider.ts';
import { createJobs } from '../jobs/jobs.ts';
import { openPostgresUserKeys } from '../postgres/postgresUserKeys.ts';
import { inTransaction } from '../projecting/transaction.ts';
import { fixedKeys } from '../core/keyRing.ts';

// Each command is a process of its own.
jest.setTimeout(120_000);

const OWNER = v7();
const KEY = randomBytes(32);
let t: ProjectingTest;
let folder: string;
const jobs = (line: string): Promise<Ended> =>
  reelstream(`jobs ${line}`, { DATABASE_URL: t.url, DATA_DIR: folder, DATA_KEY: KEY.toString('base64') });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobs-'));
  t = await createProjectingTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** As the program stores it. */
async function recordFailedVideo(videoId: string): Promise<void> {
  const keys = await openPostgresUserKeys({ pool: t.pool, masterKeys: fixedKeys(KEY) });
  const store = withCodec(t.store, createEventCodec({ types: eventTypes, keys }));
  const at = new Date().toISOString();
  const original = { key: `originals/${videoId}/a.mp4`, size: 1 };
  const facts = { duration: 1, width: 64, height: 48 };
  const commands: VideoCommand[] = [
    {
      type: 'UploadVideo',
      videoId,
      ownerId: OWNER,
      title: 'A clip',
      description: '',
      visibility: 'public',
      original,
      facts,
      at,
    },
    { type: 'RecordProcessingFailure', reason: 'It is damaged.', at },
  ];
  for (const command of commands)
    await handleCommand(store, videoDecider, videoStream(videoId), command, { correlationId: 'c', now: new Date() });
}

/** A job of a failed video, which a worker has found to be damaged. */
async function failedJob(videoId: string, id: string, name = 'process'): Promise<void> {
  const running = createJobs({ connectionString: t.url, logger: silent, queues });
  await running.start();
  const queue = queues.find((each) => each.name === name)!;
  const handle = (): Promise<{ failed: string }> => Promise.resolve({ failed: 'It is damaged.' });
  await running.work([{ queue, handle, giveUp: () => Promise.resolve() }]);
  await inTransaction(t.pool, { schema: 'public' }, (transaction) =>
    running.add(queue, [{ id, ownerId: OWNER, data: { videoId, correlationId: 'c', causationId: id } }], transaction),
  );
  await eventually(
    async () =>
      (await t.pool.query(`select from reelstream_jobs.job where state = 'completed' and id = $1`, [id])).rowCount ===
      1,
    { what: 'the job has ended' },
  );
  await running.close();
}

test('jobs are listed and failed ones run again, by the same rules as over HTTP', async () => {
  expect(await jobs('list')).toMatchObject({ code: 0, output: 'There are no such jobs.\n' });
  const videoId = v7();
  await recordFailedVideo(videoId);
  const id = '0198d5b0-7c1e-7b44-9d0f-3a51c7e2f604';
  await failedJob(videoId, id);

  expect((await jobs('list --state failed')).output).toMatch(
    new RegExp(`^id +queue +state +video +tries +created +took +error\\n${id} +process +failed +${videoId} +1 `),
  );
  const { output } = await jobs('list --json --limit 1');
  expect(JSON.parse(output)).toMatchObject([{ id, videoId, state: 'failed', error: 'It is damaged.' }]);

  const retried = await jobs(`retry ${id} --json`);
  expect([retried.code, retried.errors]).toEqual([0, '']);
  const stored = [];
  for await (const event of t.store.readStream(`video-${videoId}`)) stored.push(event);
  expect(stored.at(-1)).toMatchObject({ type: 'VideoProcessingRetried', ...JSON.parse(retried.output) });

  const refused = await jobs(`retry ${id}`);
  expect([refused.code, refused.output]).toEqual([1, '']);
  expect(refused.errors).toContain('Only a video whose processing failed can be retried');
  expect((await jobs('retry x')).errors).toContain('There is no such job');
  expect((await jobs('list --state lost')).code).toBe(2);
});

test('the failed job of a ladder is put back, and the video stays as it is', async () => {
  const id = v7();
  await failedJob(v7(), id, 'extras');
  expect(await jobs(`retry ${id}`)).toEqual({
    code: 0,
    output: `The job ${id} will run as soon as a media worker is free.\n`,
    errors: '',
  });
  const { output } = await jobs('list --queue extras --json');
  expect(JSON.parse(output)).toMatchObject([{ id, state: 'waiting', error: null }]);
});
