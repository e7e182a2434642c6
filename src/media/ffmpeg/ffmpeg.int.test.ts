import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { script } from '../../../tests/support/scripts.ts';
import { runFfmpeg } from './ffmpeg.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ffmpeg-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (ffmpeg: string, timeout = 30_000, mostErrors?: ReadonlyMap<number, number>): Promise<void> =>
  runFfmpeg(
    ffmpeg,
    {
      inputOptions: ['-f', 'mov'],
      input: 'in.mp4',
      mostErrors,
      outputs: [{ options: ['-f', 'mp4'], path: 'out.mp4' }],
    },
    { timeout },
  );

describe('a failure that the video did not cause is our fault', () => {
  test.each([
    ['killed from outside', 'kill -KILL $$'],
    ['told to end, which it does in its own way', 'echo "Exiting normally, received signal 15." >&2; exit 255'],
    ['without room on the disk', 'echo "out.mp4: No space left on device" >&2; exit 1'],
  ])('%s', async (_what, text) => {
    await expect(run(await script(folder, 'ffmpeg', text))).rejects.toMatchObject({
      name: 'FfmpegFailed',
      reason: 'exit',
      ourFault: true,
    });
  });

  test('not there', async () => {
    await expect(run(join(folder, 'none'))).rejects.toMatchObject({ name: 'FfmpegFailed', ourFault: true });
  });
});

describe('a failure that the video caused is not our fault', () => {
  test.each([
    ['an error', 'echo "Invalid data found when processing input" >&2; exit 1', 'exit', 30_000],
    ['too much memory', 'echo "Error while opening encoder: Cannot allocate memory" >&2; exit 1', 'memory', 30_000],
    ['a crash', 'kill -SEGV $$', 'exit', 30_000],
    ['no end', 'exec sleep 60', 'timeout', 500],
  ])('%s', async (_what, text, reason, timeout) => {
    await expect(run(await script(folder, 'ffmpeg', text), timeout)).rejects.toMatchObject({
      name: 'FfmpegFailed',
      reason,
      ourFault: false,
    });
  });
});

describe('packets that cannot be decoded', () => {
  const why = 'Invalid data found when processing input';
  test.each([
    ['FFmpeg 6.0 and older', `Error while decoding stream #0:1: ${why}`],
    ['FFmpeg 6.1', `[vist#0:1/h264 @ 0x5] Error submitting packet to decoder: ${why}`],
    ['FFmpeg 7.0 and newer', `[vist#0:1/h264 @ 0x5] [dec:h264 @ 0x6] Error submitting packet to decoder: ${why}`],
    ['a decoder with threads', `[aist#0:1/aac @ 0x5] [dec:aac @ 0x6] Decoding error: ${why}`],
  ])('end a run if there are more than may fail in their stream (%s)', async (_which, message) => {
    const ffmpeg = await script(folder, 'ffmpeg', `echo "${message}" >&2; echo "${message}" >&2`);
    await expect(run(ffmpeg, 30_000, new Map([[1, 1]]))).rejects.toMatchObject({ reason: 'damaged', ourFault: false });
    await run(ffmpeg, 30_000, new Map([[1, 2]]));
    await run(ffmpeg, 30_000, new Map([[0, 0]]));
    await run(ffmpeg);
  });

  test('for lack of memory are told apart', async () => {
    const message = '[vist#0:0/h264 @ 0x5] Error submitting packet to decoder: Cannot allocate memory';
    const ffmpeg = await script(folder, 'ffmpeg', `echo "${message}" >&2; seq 1000 >&2`);
    await expect(run(ffmpeg, 30_000, new Map([[0, 0]]))).rejects.toMatchObject({ reason: 'memory', ourFault: false });
  });
});
