import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { clip } from '../../../../tests/support/clips.ts';
import { eventually } from '../../../../tests/support/eventually.ts';
import { createMediaRig, type MediaRig } from '../../../../tests/support/mediaRig.ts';
import { missHeartbeats } from '../../../../tests/support/missHeartbeats.ts';

describe('a worker process', () => {
  let rig: MediaRig;
  const running: ChildProcess[] = [];
  const startProcess = async (alone?: 'alone'): Promise<{ child: ChildProcess; transcoding: Promise<unknown> }> => {
    const script = join(import.meta.dirname, '../../../../tests/support/mediaWorkerProcess.ts');
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
  /** Stops the worker's FFmpeg, so that it does not end while something else happens. It can still be killed. */
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

  test('killed in the middle of a transcode is replaced when its heartbeats are missed, and leaves no files and no FFmpeg', async () => {
    const videoId = await rig.upload(await clip('slow'));
    const first = await startProcess();
    await first.transcoding;
    await holdTranscode(first.child);
    first.child.kill('SIGKILL');
    await missHeartbeats(rig.database.pool, videoId);
    const second = await startProcess();
    await second.transcoding;
    await done(videoId);
    expect((await rig.events(videoId)).map(({ type }) => type)).toEqual(['VideoUploaded', 'VideoProcessed']);
    expect(await rig.keys(videoId)).toHaveLength(3);
    await eventually(
      async () => !(await readdir(join(rig.folder, 'scratch'))).some((name) => name.includes(`.${first.child.pid}.`)),
      { what: 'its folder is swept' },
    );
    await expect(ffmpegsIn(join(rig.folder, 'scratch'), first.child.pid!)).resolves.toEqual([]);
  }, 180_000);

  test('that is alone and was killed takes up its job as soon as it is started again', async () => {
    const videoId = await rig.upload(await clip('slow'));
    const first = await startProcess('alone');
    await first.transcoding;
    await holdTranscode(first.child);
    // The heartbeat lasts so long that the job is not taken up because one was missed.
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

  test('killed three times in the middle of a transcode does not get the video a fourth time: it has failed, by a fault of ours', async () => {
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
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(folder) && command.includes(`.${worker}.`)) found.push(pid);
  }
  return found;
}
