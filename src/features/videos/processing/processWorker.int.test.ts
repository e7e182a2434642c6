import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip, spoiltClip, testTools, type ClipName } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { littleMemory } from '../../../../tests/support/littleMemory.ts';
import { createMediaRig, startWorker, type MediaRig } from '../../../../tests/support/mediaRig.ts';
import { ObjectStoreUnavailable } from '../../../objectStore/objectStore.ts';
import type { VideoProcessed } from '../events.ts';
import { createInspector } from '../../../media/inspecting/inspect.ts';
import type { JobRun } from '../../../jobs/queue.ts';
import { createProcessWorker, type ProcessWorkerOptions } from './processWorker.ts';
import type { VideoJob } from './queues.ts';
import { probe } from '../../../media/inspecting/probe.ts';

let rig: MediaRig;
/** Without workers: the test runs the jobs. */
let idleRig: MediaRig;
beforeAll(async () => {
  rig = await createMediaRig();
  await startWorker(rig);
  idleRig = await createMediaRig();
}, 60_000);
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await idleRig[Symbol.asyncDispose]();
});

const run = (): JobRun => ({ signal: AbortSignal.timeout(30_000), confirmClaim: () => Promise.resolve() });
const failed = { cause: new Error('the store is away'), killed: false };
const jobOf = (videoId: string): VideoJob => ({ videoId, correlationId: 'c', causationId: `job-${videoId}` });
const types = async (videoId: string): Promise<string[]> => (await idleRig.events(videoId)).map(({ type }) => type);

const entryOf = ({ logged }: MediaRig, videoId: string, message: string): MediaRig['logged'][number] | undefined =>
  logged.find((entry) => entry['videoId'] === videoId && String(entry['msg']).startsWith(message));

async function outcome(videoId: string): Promise<{ type: string; data: object }> {
  return eventually(async () => (await rig.events(videoId))[1], {
    what: 'the video is processed',
    within: 30_000,
    every: 10,
  }) as Promise<{ type: string; data: object }>;
}

async function processed(name: ClipName): Promise<VideoProcessed['data']> {
  const { type, data } = await outcome(await rig.upload(await clip(name)));
  expect({ type, data }).toMatchObject({ type: 'VideoProcessed' });
  return data as VideoProcessed['data'];
}

test('an upload becomes H.264 and AAC in an MP4 whose index comes first, and a JPEG, under names that are their hashes', async () => {
  const { video, thumbnail, facts } = await processed('plain');
  expect(facts).toEqual({ duration: 1, width: 64, height: 48 });
  expect(video.key).toMatch(/^videos\/[0-9a-f-]{36}\/[0-9a-f]{64}\.mp4$/);
  expect(thumbnail.key).toMatch(/^videos\/[0-9a-f-]{36}\/[0-9a-f]{64}\.jpg$/);
  const movie = join(rig.folder, 'movie.mp4');
  await rig.objects.getFile(video.key, movie);
  const bytes = await readFile(movie);
  expect(bytes.length).toBe(video.size);
  expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
  const streams = await probe((await testTools()).ffprobe.path, movie);
  expect(streams.map(({ codec }) => codec)).toEqual(['h264', 'aac']);
  await rig.objects.getFile(thumbnail.key, movie);
  expect((await readFile(movie)).subarray(0, 3).toString('hex')).toBe('ffd8ff');
});

describe('odd clips', () => {
  test.each<[ClipName, { width: number; height: number }]>([
    ['silent', { width: 64, height: 48 }],
    ['oddSize', { width: 62, height: 46 }],
    ['chroma444', { width: 64, height: 48 }],
    ['hevc10', { width: 64, height: 64 }],
    ['rotated', { width: 48, height: 64 }],
    ['fragmented', { width: 64, height: 48 }],
    ['widePixels', { width: 128, height: 64 }],
    ['oneFrame', { width: 64, height: 48 }],
    ['large', { width: 1920, height: 1080 }],
    ['mpeg4', { width: 64, height: 48 }],
    ['withCover', { width: 64, height: 48 }],
    ['narrow', { width: 16, height: 510 }],
    ['fast240', { width: 64, height: 48 }],
  ])('%s plays', async (name, size) => {
    expect((await processed(name)).facts).toMatchObject(size);
  });

  test('a whole minute plays, to its end', async () => {
    expect((await processed('sixty')).facts.duration).toBeCloseTo(60, 1);
  });

  test('240 frames a second become 60', async () => {
    const { video } = await processed('fast240');
    const movie = join(rig.folder, 'fast.mp4');
    await rig.objects.getFile(video.key, movie);
    expect((await probe((await testTools()).ffprobe.path, movie))[0]?.packets).toBe(60);
  });

  test('a rendition has nothing of the upload but picture and sound', async () => {
    const source = await readFile(await clip('located'));
    expect(source.includes('secret place')).toBe(true);
    const { video } = await processed('located');
    const movie = join(rig.folder, 'located.mp4');
    await rig.objects.getFile(video.key, movie);
    const bytes = await readFile(movie);
    expect(bytes.includes('secret place') || bytes.includes('48.8584')).toBe(false);
  });
});

test('progress rises to 100, through every stage', async () => {
  const videoId = await rig.upload(await clip('slow'));
  await outcome(videoId);
  const steps = await eventually(() => rig.progress.filter((step) => step.videoId === videoId), {
    what: 'it is ready',
    holds: (all) => all.at(-1)?.progress === 100,
  });
  const numbers = steps.map(({ progress }) => progress);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(steps.map(({ stage }) => stage))).toEqual(
    new Set(['transcoding', 'thumbnail', 'publishing', 'ready']),
  );
  expect(steps.length).toBeGreaterThan(5);
});

test('a job starts as soon as its event arrives, not at the next poll', async () => {
  await using notified = await createMediaRig({ pollSeconds: 60 });
  await startWorker(notified);
  const videoId = await notified.upload(await clip('plain'));
  await eventually(() => notified.progress.some((step) => step.videoId === videoId), { what: 'work begins' });
  await eventually(async () => (await notified.events(videoId)).length === 2, { what: 'work is over' });
});

describe('a file that cannot be decoded', () => {
  const noise =
    (from: number, to: number) =>
    (bytes: Buffer): Buffer => {
      const spoilt = Buffer.from(bytes);
      for (let at = Math.floor(bytes.length * from); at < bytes.length * to; at++) spoilt[at] = (at * 31 + 7) % 256;
      return spoilt;
    };

  test('ends as a failure with a sentence for its uploader, keeps its original, and leaves nothing else', async () => {
    const videoId = await rig.upload(await spoiltClip('plain', join(rig.folder, 'spoilt.mp4'), noise(0.2, 0.7)));
    expect(await outcome(videoId)).toMatchObject({
      type: 'VideoProcessingFailed',
      data: { reason: expect.stringMatching(/damaged/) },
    });
    await eventually(async () => (await rig.keys(videoId)).length === 1, { what: 'only the original is left' });
    expect((await rig.keys(videoId))[0]).toMatch(/^originals\//);
    const entry = await eventually(() => entryOf(rig, videoId, 'a video cannot be processed'), {
      what: 'it is logged',
    });
    expect(entry).toMatchObject({
      level: 30,
      reason: expect.stringMatching(/damaged/),
      err: { message: expect.stringMatching(/could not decode enough/) },
    });
  });

  test('ends in the same way when it is not a video at all', async () => {
    const videoId = await rig.upload(await clip('soundOnly'));
    expect(await outcome(videoId)).toMatchObject({
      type: 'VideoProcessingFailed',
      data: { reason: expect.stringMatching(/sound only/) },
    });
  });
});

test('the bytes of the stored original decide whether it has been inspected, not its name', async () => {
  const inspected: string[] = [];
  const options = await idleRig.workerOptions();
  const inspect: typeof options.inspect = (path, chosen) => {
    inspected.push(chosen?.sha256 ?? 'rendition');
    return options.inspect(path, chosen);
  };
  const videoId = await idleRig.upload(await clip('plain'));
  const [key] = await idleRig.keys(videoId);
  // Nobody but a fault of the disk or an intruder does this.
  const stored = join(idleRig.folder, 'objects', key!);
  // The store keeps a hard link to the clip. The clip itself must not change.
  await rm(stored);
  await copyFile(await clip('soundOnly'), stored);
  await createProcessWorker({ ...options, inspect }).handle(jobOf(videoId), run());
  const { data } = (await idleRig.events(videoId))[1] as { data: object };
  expect(data).toMatchObject({ reason: expect.stringMatching(/sound only/) });
  expect(inspected).toHaveLength(1);
  expect(key).not.toContain(inspected[0]);
});

test('the same job again changes nothing', async () => {
  const videoId = await rig.upload(await clip('plain'));
  await outcome(videoId);
  const [uploaded] = await rig.events(videoId);
  const { handle } = createProcessWorker(await rig.workerOptions());
  const job = { videoId, correlationId: 'c', causationId: uploaded!.id };
  await handle(job, run());
  await handle(job, run());
  expect((await rig.events(videoId)).map(({ type }) => type)).toEqual(['VideoUploaded', 'VideoProcessed']);
  expect(await rig.keys(videoId)).toHaveLength(3);
});

test('an attempt that succeeds removes what an earlier one left in the store', async () => {
  const path = await clip('plain');
  const videoId = await rig.upload(path);
  await rig.objects.putFile(`videos/${videoId}/left-behind.mp4`, path, 'video/mp4');
  await outcome(videoId);
  await eventually(async () => (await rig.keys(videoId)).length === 3, { what: 'the rest is removed' });
});

test('deleting a video removes its objects, and only its own', async () => {
  const [kept, deleted] = [await rig.upload(await clip('plain')), await rig.upload(await clip('plain'))];
  await Promise.all([outcome(kept), outcome(deleted)]);
  await rig.remove(deleted);
  await eventually(async () => (await rig.keys(deleted)).length === 0, { what: 'its objects are gone' });
  expect(await rig.keys(kept)).toHaveLength(3);
});

/** The FFmpeg processes of the rig's worker. */
async function ffmpegs({ folder }: MediaRig): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc')) {
    const command = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : '';
    // Not ffprobe, which reads the same files.
    if (command.includes(join(folder, 'scratch')) && !command.includes('ffprobe')) found.push(Number(pid));
  }
  return found;
}

test('deleting a video that is being processed ends its FFmpeg, leaves no objects, and lets the next job begin', async () => {
  const videoId = await rig.upload(await clip('slow'));
  await eventually(() => rig.progress.some((step) => step.videoId === videoId && step.progress > 40), {
    what: 'the transcode runs',
    within: 30_000,
  });
  // It does not end by itself.
  const running = await ffmpegs(rig);
  expect(running.length).toBeGreaterThan(0);
  for (const pid of running) process.kill(pid, 'SIGSTOP');
  const next = await rig.upload(await clip('plain'));
  await rig.remove(videoId);
  await eventually(async () => !(await ffmpegs(rig)).some((pid) => running.includes(pid)), {
    what: 'its FFmpeg is gone',
    within: 10_000,
  });
  await eventually(async () => (await rig.events(next))[1]?.type === 'VideoProcessed', {
    what: 'the next is processed',
    within: 30_000,
  });
  expect((await rig.events(videoId)).map(({ type }) => type)).toEqual(['VideoUploaded', 'VideoDeleted']);
  expect(await rig.keys(videoId)).toEqual([]);
}, 120_000);

test('a video whose FFmpeg is killed again and again fails with a fault of ours, and a retry makes it ready', async () => {
  const videoId = await rig.upload(await clip('slow'));
  const killed = new Set<number>();
  await eventually(
    async () => {
      for (const pid of await ffmpegs(rig)) {
        killed.add(pid);
        process.kill(pid, 'SIGKILL');
      }
      return (await rig.events(videoId)).length > 1;
    },
    { what: 'it has failed', within: 60_000, every: 20 },
  );
  expect(killed.size).toBeLessThanOrEqual(2 * 3);
  const [, failure] = await rig.events(videoId);
  expect(failure).toMatchObject({
    type: 'VideoProcessingFailed',
    data: { reason: expect.stringMatching(/fault on our side.*retry/) },
  });
  const entry = await eventually(() => entryOf(rig, videoId, 'a video is given up'), { what: 'it is logged' });
  expect(entry).toMatchObject({
    level: 40,
    reason: expect.stringMatching(/fault on our side/),
    err: { message: expect.stringMatching(/killed with signal SIGKILL/) },
  });
  const messages = rig.logged.filter((each) => each['videoId'] === videoId).map(({ err }) => (err as Error).message);
  expect(messages).toHaveLength(3);
  for (const message of messages) expect(message.split('FFmpeg ended with an error')).toHaveLength(2);
  await rig.retry(videoId);
  await eventually(async () => (await rig.events(videoId))[3]?.type === 'VideoProcessed', {
    what: 'it is processed',
    within: 60_000,
  });
  expect(await rig.keys(videoId)).toHaveLength(3);
}, 180_000);

test('a late job of a video that is being retried removes nothing: another job may be storing it', async () => {
  const path = await clip('plain');
  const videoId = await idleRig.upload(path);
  const worker = createProcessWorker(await idleRig.workerOptions());
  await worker.giveUp(jobOf(videoId), failed);
  await idleRig.retry(videoId);
  await idleRig.objects.putFile(`videos/${videoId}/new.mp4`, path, 'video/mp4');
  await worker.giveUp(jobOf(videoId), failed);
  expect(await types(videoId)).toEqual(['VideoUploaded', 'VideoProcessingFailed', 'VideoProcessingRetried']);
  expect(await idleRig.keys(videoId)).toHaveLength(2);
});

test('an object store that is not available for a while delays a video and does not fail it', async () => {
  const videoId = await idleRig.upload(await clip('plain'));
  const away = { ...idleRig.objects, getFile: () => Promise.reject(new ObjectStoreUnavailable('away')) };
  const { handle } = createProcessWorker(await idleRig.workerOptions({ objects: away }));
  await expect(handle(jobOf(videoId), run())).rejects.toThrow(ObjectStoreUnavailable);
  expect(await types(videoId)).toEqual(['VideoUploaded']);
  await createProcessWorker(await idleRig.workerOptions()).handle(jobOf(videoId), run());
  expect(await types(videoId)).toEqual(['VideoUploaded', 'VideoProcessed']);
});

test('a transcode that takes too long is killed and says so', async () => {
  const videoId = await idleRig.upload(await clip('slow'));
  const { handle } = createProcessWorker(await idleRig.workerOptions({ timeout: 200 }));
  await handle(jobOf(videoId), run());
  expect((await idleRig.events(videoId))[1]).toMatchObject({
    type: 'VideoProcessingFailed',
    data: { reason: expect.stringMatching(/too long/) },
  });
}, 60_000);

test('a transcode that needs more memory than its limit fails, and says so', async () => {
  const videoId = await idleRig.upload(await clip('large'));
  const { handle } = createProcessWorker(await idleRig.workerOptions({ sandbox: await littleMemory('ffmpeg', 128) }));
  await handle(jobOf(videoId), run());
  expect((await idleRig.events(videoId))[1]).toMatchObject({
    type: 'VideoProcessingFailed',
    data: { reason: expect.stringMatching(/too much memory.*lower resolution/) },
  });
}, 60_000);

test.each<[string, Partial<ProcessWorkerOptions>]>([
  ['the disk is full', { freeSpace: () => Promise.resolve(300e6) }],
  ['FFmpeg cannot be started', { ffmpeg: '/nonexistent/ffmpeg' }],
  ['ffprobe cannot be started', { inspect: createInspector({ ffprobe: '/nonexistent/ffprobe' }) }],
])('a job that ends because %s is tried again', async (_what, changes) => {
  const videoId = await idleRig.upload(await clip('plain'));
  const { handle } = createProcessWorker(await idleRig.workerOptions(changes));
  await expect(handle(jobOf(videoId), run())).rejects.toThrow();
  expect(await types(videoId)).toEqual(['VideoUploaded']);
});

test('a worker whose job another worker has by now does not record a failure', async () => {
  const videoId = await idleRig.upload(await clip('soundOnly'));
  const { handle } = createProcessWorker(await idleRig.workerOptions());
  await expect(
    handle(jobOf(videoId), { ...run(), confirmClaim: () => Promise.reject(new Error('taken')) }),
  ).rejects.toThrow('taken');
  expect(await types(videoId)).toEqual(['VideoUploaded']);
});

test('a video that is given up keeps its original and nothing else: attempts may have stored a part of the result', async () => {
  const path = await clip('plain');
  const videoId = await idleRig.upload(path);
  await idleRig.objects.putFile(`videos/${videoId}/half.mp4`, path, 'video/mp4');
  await createProcessWorker(await idleRig.workerOptions()).giveUp(jobOf(videoId), failed);
  expect(entryOf(idleRig, videoId, 'a video is given up')).toMatchObject({
    level: 40,
    reason: expect.stringMatching(/fault on our side/),
    err: { message: 'the store is away' },
  });
  expect(await types(videoId)).toEqual(['VideoUploaded', 'VideoProcessingFailed']);
  expect(await idleRig.keys(videoId)).toEqual([expect.stringMatching(/^originals\//)]);
});

test('no temporary folder is left', async () => {
  const [own] = await readdir(join(rig.folder, 'scratch'));
  await eventually(async () => (await readdir(join(rig.folder, 'scratch', own!))).length === 0, {
    what: 'the folders are gone',
    within: 30_000,
  });
}, 40_000);
