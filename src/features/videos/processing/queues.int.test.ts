import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { clip } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { createMediaRig, startWorker, type MediaRig } from '../../../../tests/support/mediaRig.ts';

let rig: MediaRig;
beforeAll(async () => {
  rig = await createMediaRig();
}, 60_000);
afterAll(async () => rig[Symbol.asyncDispose]());

/** An uploaded video without a job of this release. */
async function uploadWithoutJob(): Promise<string> {
  const videoId = await rig.upload(await clip('plain'));
  await rig.database.pool.query(`delete from reelstream_jobs.job where data->>'videoId' = $1`, [videoId]);
  return videoId;
}

/** A job as the release before this one stored it. */
async function storeJob(queue: string, data: { videoId: string; killed?: number }, deadLetter?: string): Promise<void> {
  await rig.database.pool.query(
    `insert into reelstream_jobs.job (id, name, data, group_id, priority, retry_limit, retry_delay, retry_backoff,
       retry_delay_max, expire_seconds, deletion_seconds, heartbeat_seconds, dead_letter, policy)
     values ($1, $2, $3, $4, -3, 20, 1, true, 180, 1200, 86400, 15, $5, 'standard')`,
    [randomUUID(), queue, { ...data, correlationId: 'c', causationId: 'e' }, randomUUID(), deadLetter],
  );
}

const outcome = (videoId: string): Promise<string | undefined> =>
  eventually(async () => (await rig.events(videoId))[1]?.type, { what: 'the job is done', within: 30_000 });

test('jobs that the release before this one left in the data folder go on', async () => {
  const [waiting, killed, dead, removed] = [
    await uploadWithoutJob(),
    await uploadWithoutJob(),
    await uploadWithoutJob(),
    await uploadWithoutJob(),
  ];
  await storeJob('process', { videoId: waiting }, 'process-dead');
  await storeJob('process', { videoId: killed, killed: 3 }, 'process-dead');
  await storeJob('process-dead', { videoId: dead });
  await storeJob('remove', { videoId: removed });
  await startWorker(rig);
  expect(await Promise.all([waiting, killed, dead].map(outcome))).toEqual([
    'VideoProcessed',
    'VideoProcessingFailed',
    'VideoProcessingFailed',
  ]);
  await eventually(async () => (await rig.keys(removed)).length === 0, { what: 'the objects are removed' });
}, 60_000);
