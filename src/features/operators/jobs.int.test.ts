import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { eventually } from '../../../tests/support/eventually.ts';
import { startFeatures, type FeaturesTest, type FeatureUser } from '../../../tests/support/features.ts';
import { silent } from '../../../tests/support/mediaRig.ts';
import type { Answer } from '../../../tests/support/systemClient.ts';
import { createJobs, type Jobs } from '../../jobs/jobs.ts';
import type { Queue, QueueWorker } from '../../jobs/queue.ts';
import { inTransaction } from '../../projecting/transaction.ts';
import { queues } from '../index.ts';

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly videoId: string | null;
  readonly error: string | null;
  readonly attempts: number;
}

const [processing, removing, extras] = ['process', 'remove', 'extras'].map((name) =>
  queues.find((queue) => queue.name === name)!,
);

let t: FeaturesTest;
let jobs: Jobs;
let [admin, ann] = [] as unknown as [FeatureUser, FeatureUser];

/** Every job fails, as one of a damaged file does. */
const failing = (queue: Queue): QueueWorker => ({
  queue,
  handle: () => Promise.resolve({ failed: 'It is damaged.' }),
  giveUp: () => Promise.resolve(),
});

beforeAll(async () => {
  t = await startFeatures();
  [admin, ann] = [await t.admin('Grace'), await t.user('Ann')];
  jobs = createJobs({ connectionString: t.projecting.url, logger: silent, queues, pollSeconds: 0.5 });
  await jobs.start();
  await jobs.work([failing(processing!), failing(removing!), failing(extras!)]);
}, 60_000);
afterAll(async () => {
  await jobs.close();
  await t[Symbol.asyncDispose]();
});

const list = (query = '', user = admin): Promise<Answer<Listed[]>> =>
  t.call<Listed[]>('GET', `/api/v1/admin/jobs${query}`, { token: user.token });
const retry = (id: string, headers: Record<string, string> = {}): Promise<Answer<{ id: string }>> =>
  t.call('POST', `/api/v1/admin/jobs/${id}/retry`, { token: admin.token, headers });
const history = async (id: string): Promise<string[]> =>
  (await t.call<{ type: string }[]>('GET', `/api/v1/video/${id}/history`, { token: admin.token })).data.map(
    ({ type }) => type,
  );

/** A job that has failed, about this video. */
async function failedJob(videoId: string, queue = processing!): Promise<string> {
  const id = v7();
  await inTransaction(t.projecting.pool, { schema: 'public' }, (transaction) =>
    jobs.add(queue, [{ id, ownerId: ann.id, data: { videoId, correlationId: 'c', causationId: id } }], transaction),
  );
  await eventually(async () => (await list('?state=failed')).data.some((job) => job.id === id), {
    what: 'the job has failed',
    within: 30_000,
  });
  return id;
}

test('admins see the jobs, and nobody else', async () => {
  const videoId = await t.video(ann, { until: 'failed' });
  const id = await failedJob(videoId);
  const { status, data, body } = await list('?state=failed&queue=process&limit=1');
  expect([status, data]).toEqual([
    200,
    [
      {
        id,
        queue: 'process',
        state: 'failed',
        videoId,
        ownerId: ann.id,
        attempts: 1,
        error: 'It is damaged.',
        createdAt: expect.any(String),
        startedAt: expect.any(String),
        endedAt: expect.any(String),
        waitedMs: expect.any(Number),
        tookMs: expect.any(Number),
      },
    ],
  ]);
  expect(body.meta).toEqual({ nextCursor: null, counts: expect.objectContaining({ failed: 1 }) });
  expect((await list('', ann)).body.code).toBe('admin_required');
  expect((await list('?state=lost')).status).toBe(400);
  expect((await list('?cursor=1')).status).toBe(400);
});

test('the retry of a failed video’s job is an event, once under one Idempotency-Key, and leads to a job of its id', async () => {
  const videoId = await t.video(ann, { until: 'failed' });
  const id = await failedJob(videoId);
  const headers = { 'idempotency-key': randomUUID() };
  const [first, second] = [await retry(id, headers), await retry(id, headers)];
  expect([first.status, second.status, second.data]).toEqual([202, 202, first.data]);
  expect(first.position).toBeGreaterThan(0n);
  expect(await history(videoId)).toEqual(['VideoUploaded', 'VideoProcessingFailed', 'VideoProcessingRetried']);
  const { data: events } = await t.call<{ id: string; type: string }[]>(
    'GET',
    `/api/v1/admin/events?stream=video-${videoId}`,
    { token: admin.token },
  );
  expect(events.at(-1)).toMatchObject({ id: first.data.id, type: 'VideoProcessingRetried' });
  const again = await retry(id);
  expect([again.status, again.body.code]).toEqual([409, 'not_failed']);
});

test('a video that is ready or deleted is not processed again', async () => {
  const [ready, deleted] = [await t.video(ann), await t.video(ann, { until: 'failed' })];
  await t.call('DELETE', `/api/v1/video/${deleted}`, { token: ann.token });
  const answers = [await retry(await failedJob(ready)), await retry(await failedJob(deleted))];
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
    [409, 'not_failed'],
    [404, 'video_not_found'],
  ]);
});

test('a job that leaves no trace in the log is put back; one that is unknown is refused', async () => {
  for (const queue of [removing!, extras!]) {
    const videoId = await t.video(ann);
    const id = await failedJob(videoId, queue);
    const { status, data, position } = await retry(id);
    expect([status, data, position]).toEqual([202, { id }, undefined]);
    const again = async (): Promise<Listed | undefined> =>
      (await list('?state=failed')).data.find((job) => job.id === id);
    await eventually(again, { what: 'it has run again', holds: (job) => job?.attempts === 2, within: 30_000 });
    expect(await history(videoId)).toEqual(['VideoUploaded', 'VideoProcessed']);
  }
  for (const unknown of [randomUUID(), 'x']) {
    const { status, body } = await retry(unknown);
    expect([status, body.code]).toEqual([404, 'job_not_found']);
  }
});
