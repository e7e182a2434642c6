import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import { v7 } from 'uuid';
import { clip, testTools } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { createMediaRig, startExtrasWorker, startWorker, type MediaRig } from '../../../../tests/support/mediaRig.ts';
import { script } from '../../../../tests/support/scripts.ts';
import { createJobList } from '../../../jobs/jobList.ts';
import type { JobRun } from '../../../jobs/queue.ts';
import { inTransaction } from '../../../projecting/transaction.ts';
import { makeMissingExtras } from './extrasBacklog.ts';
import { createExtrasWorker } from './extrasWorker.ts';
import { videoQueues } from './index.ts';
import { createProcessWorker } from './processWorker.ts';
import type { VideoJob } from './queues.ts';
import type { VideoEvent, VideoLadderMade, VideoStoryboardMade } from '../events.ts';

let rig: MediaRig;
/** Makes uploads playable; the test runs the jobs of extras. */
let playing: MediaRig;
beforeAll(async () => {
  rig = await createMediaRig();
  await startWorker(rig);
  await startExtrasWorker(rig);
  playing = await createMediaRig();
  await startWorker(playing);
}, 60_000);
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await playing[Symbol.asyncDispose]();
});

const OWNER = v7();
const MADE = ['VideoLadderMade', 'VideoStoryboardMade', 'VideoPreviewMade'];
const run = (): JobRun => ({ signal: AbortSignal.timeout(30_000), confirmClaim: () => Promise.resolve() });
const jobOf = (videoId: string): VideoJob => ({ videoId, correlationId: 'c', causationId: `job-${videoId}` });
const types = async ({ events }: MediaRig, videoId: string): Promise<string[]> =>
  (await events(videoId)).map(({ type }) => type);

/** Uploads a clip and waits until it can be played. */
async function playable(on: MediaRig, name: Parameters<typeof clip>[0] = 'plain'): Promise<string> {
  const videoId = await on.upload(await clip(name));
  await eventually(async () => (await types(on, videoId)).includes('VideoProcessed'), {
    what: 'the video can be played',
    within: 30_000,
  });
  return videoId;
}

const dataOf = async <Event extends VideoEvent>(on: MediaRig, videoId: string, type: Event['type']) =>
  (await on.events(videoId)).find((event) => event.type === type)!.data as unknown as Event['data'];

test('a video that can be played gets a ladder, a storyboard and a preview, whose files are all that is stored', async () => {
  const videoId = await playable(rig);
  await rig.deliverLast(videoId);
  const all = await eventually(() => types(rig, videoId), {
    what: 'everything is made',
    holds: (found) => found.length === 5,
    within: 30_000,
  });
  expect(all).toEqual(['VideoUploaded', 'VideoProcessed', ...MADE]);
  const { hls } = await dataOf<VideoLadderMade>(rig, videoId, 'VideoLadderMade');
  expect(hls).toMatchObject({ files: 5, renditions: [{ width: 64, height: 48 }] });
  expect(hls.master.key).toMatch(new RegExp(`^videos/${videoId}/hls-[0-9a-f]{64}/master\\.m3u8$`));
  const { storyboard, pictures } = await dataOf<VideoStoryboardMade>(rig, videoId, 'VideoStoryboardMade');
  expect(storyboard.key).toMatch(new RegExp(`^videos/${videoId}/storyboard-[0-9a-f]{64}\\.vtt$`));
  const file = join(rig.folder, 'storyboard.vtt');
  await rig.objects.getFile(storyboard.key, file);
  expect(await readFile(file, 'utf8')).toContain(`\n${pictures.key.split('/').at(-1)}#xywh=0,0,64,48\n`);
  // An original, the movie, the thumbnail, the ladder, two files of the storyboard, and the preview.
  expect(await rig.keys(videoId)).toHaveLength(3 + hls.files + 3);
  // Progress is that of the upload: it ended when the video could be played.
  expect(rig.progress.filter((step) => step.videoId === videoId).at(-1)).toMatchObject({
    stage: 'ready',
    progress: 100,
  });
}, 60_000);

test('a job that is run again, or by two workers at once, records everything once and leaves the same files', async () => {
  const videoId = await playable(playing);
  const { handle } = createExtrasWorker(await playing.workerOptions());
  await Promise.all([handle(jobOf(videoId), run()), handle({ ...jobOf(videoId), causationId: 'other' }, run())]);
  const before = await playing.keys(videoId);
  await handle(jobOf(videoId), run());
  expect(await types(playing, videoId)).toEqual(['VideoUploaded', 'VideoProcessed', ...MADE]);
  expect(await playing.keys(videoId)).toEqual(before);
}, 60_000);

test('a worker of the upload that is late removes nothing of the ladder', async () => {
  const videoId = await playable(playing);
  await createExtrasWorker(await playing.workerOptions()).handle(jobOf(videoId), run());
  const before = await playing.keys(videoId);
  await createProcessWorker(await playing.workerOptions()).handle(jobOf(videoId), run());
  expect(await playing.keys(videoId)).toEqual(before);
}, 60_000);

describe('a video that is deleted', () => {
  test('while its ladder is made keeps no file', async () => {
    const videoId = await playable(playing);
    const { handle } = createExtrasWorker(
      await playing.workerOptions({
        freeSpace: async () => {
          await playing.remove(videoId);
          return Number.MAX_SAFE_INTEGER;
        },
      }),
    );
    await handle(jobOf(videoId), run()).catch(() => undefined);
    await eventually(async () => (await playing.keys(videoId)).length === 0, { what: 'all files are removed' });
    expect(await types(playing, videoId)).toEqual(['VideoUploaded', 'VideoProcessed', 'VideoDeleted']);
  }, 60_000);

  test('afterwards loses everything that was made of it', async () => {
    const videoId = await playable(playing);
    await createExtrasWorker(await playing.workerOptions()).handle(jobOf(videoId), run());
    await playing.remove(videoId);
    await eventually(async () => (await playing.keys(videoId)).length === 0, { what: 'all files are removed' });
  }, 60_000);
});

test('a video whose extras fail stays playable; the failure is logged, and operators see it', async () => {
  const videoId = await playable(playing);
  const ffmpeg = await script(playing.folder, 'ffmpeg', 'echo "Invalid data found when processing input" >&2; exit 1');
  const { handle } = createExtrasWorker(await playing.workerOptions({ ffmpeg }));
  const failed = 'The ladder of the video cannot be made: FFmpeg ended with an error.';
  expect(await handle(jobOf(videoId), run())).toEqual({ failed });
  expect(await types(playing, videoId)).toEqual(['VideoUploaded', 'VideoProcessed']);
  expect(playing.logged.find((entry) => entry['videoId'] === videoId)).toMatchObject({ msg: failed });
  expect(await playing.keys(videoId)).toHaveLength(3);
}, 60_000);

test('a full disk is no fault of the video: the job is tried again', async () => {
  const videoId = await playable(playing);
  const { handle } = createExtrasWorker(await playing.workerOptions({ freeSpace: () => Promise.resolve(0) }));
  await expect(handle(jobOf(videoId), run())).rejects.toMatchObject({ code: 'ENOSPC' });
});

describe('a video without ladder, storyboard and preview', () => {
  const made = (videoId: string): Promise<string[]> =>
    eventually(() => types(rig, videoId), {
      what: 'everything is made',
      holds: (found) => found.length === 5,
      within: 30_000,
    });

  test('gets them when an operator asks, as one from an earlier version', async () => {
    const videoId = await playable(rig);
    const ask = (): Promise<string[]> =>
      inTransaction(rig.database.pool, { schema: 'public' }, (transaction) =>
        makeMissingExtras(rig.jobs, [{ id: videoId, ownerId: OWNER }], transaction),
      );
    const [id] = await ask();
    expect(await made(videoId)).toEqual(['VideoUploaded', 'VideoProcessed', ...MADE]);
    const list = createJobList({ db: rig.db as unknown as Kysely<never>, queues: videoQueues, retries: [] });
    await eventually(() => list.counts([id!]), { what: 'the job is done', holds: ({ done }) => done === 1 });
    // Asked again, a worker finds that nothing is missing.
    const [second] = await ask();
    await eventually(() => list.counts([second!]), { what: 'the job is done', holds: ({ done }) => done === 1 });
    expect(await types(rig, videoId)).toHaveLength(5);
  }, 60_000);

  test('gets them when its failed job is retried', async () => {
    const { ffmpeg } = await testTools();
    await using failing = await createMediaRig({ pollSeconds: 0.5 });
    const cure = join(failing.folder, 'cured');
    await startWorker(failing);
    await startExtrasWorker(failing, {
      ffmpeg: await script(
        failing.folder,
        'ffmpeg',
        `[ -e ${cure} ] && exec ${ffmpeg.path} "$@"; echo "Invalid data found when processing input" >&2; exit 1`,
      ),
    });
    const videoId = await playable(failing);
    await failing.deliverLast(videoId);
    const list = createJobList({ db: failing.db as unknown as Kysely<never>, queues: videoQueues, retries: [] });
    const failed = async () => (await list.page({ state: 'failed', limit: 1 })).jobs[0];
    const job = (await eventually(failed, { what: 'the job has failed', within: 30_000 }))!;
    expect(job).toMatchObject({ queue: 'extras', about: { videoId } });
    await writeFile(cure, '');
    expect(await list.retry(job.id, { correlationId: 'c', now: new Date() })).toEqual({
      id: job.id,
      appended: undefined,
    });
    await eventually(() => list.counts([job.id]), {
      what: 'the job is done',
      holds: ({ done }) => done === 1,
      within: 30_000,
    });
    expect(await types(failing, videoId)).toEqual(['VideoUploaded', 'VideoProcessed', ...MADE]);
  }, 60_000);
});
