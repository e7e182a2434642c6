import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip, spoiltClip, testTools } from '../../../tests/support/clips.ts';
import { littleMemory } from '../../../tests/support/littleMemory.ts';
import { script } from '../../../tests/support/scripts.ts';
import { withCopies } from '../../../tests/support/tracks.ts';
import { createInspector } from './inspect.ts';
import { ProbeFailed } from './probe.ts';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-'));
  path = await clip('plain');
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

describe('a fault of ours is not reported as a fault of the video', () => {
  test.each([
    ['killed, as by a kernel that is short of memory', 'kill -KILL $$'],
    ['told to end', 'kill -TERM $$'],
    ['interrupted along with us', 'kill -INT $$'],
  ])('ffprobe %s', async (_what, text) => {
    await expect(createInspector({ ffprobe: await script(folder, 'ffprobe', text) })(path)).rejects.toThrow(
      ProbeFailed,
    );
  });

  test('no ffprobe, or none that may be run', async () => {
    await expect(createInspector({ ffprobe: join(folder, 'none') })(path)).rejects.toThrow(ProbeFailed);
    await expect(createInspector({ ffprobe: path })(path)).rejects.toThrow(ProbeFailed);
  });
});

describe('a fault of the video is reported as one', () => {
  test.each([
    ['that ffprobe complains of', 'echo "moov atom not found" >&2; exit 1', 'damaged_video', 30_000],
    [
      'that needs more memory than ffprobe may have',
      'echo "in.mp4: Cannot allocate memory" >&2; exit 1',
      'video_too_complex',
      30_000,
    ],
    ['that ffprobe crashes on', 'kill -SEGV $$', 'damaged_video', 30_000],
    ['that never comes to an end', 'exec sleep 60', 'video_too_complex', 2_000],
    ['that has no end of packets', 'exec yes stream_index=0', 'video_too_complex', 2_000],
  ])('%s', async (_what, text, code, timeout) => {
    const inspect = createInspector({ ffprobe: await script(folder, 'ffprobe', text), timeout });
    await expect(inspect(path)).rejects.toMatchObject({ kind: 'unprocessable', code });
  });

  test('that needs more memory than ffprobe may have, with the program itself', async () => {
    const inspect = createInspector({
      ffprobe: (await testTools()).ffprobe.path,
      sandbox: await littleMemory('ffprobe'),
    });
    const path = await spoiltClip('large', join(folder, 'large.mp4'), (movie) => withCopies(movie, 4));
    await expect(inspect(path)).rejects.toMatchObject({ kind: 'unprocessable', code: 'video_too_complex' });
  });
});
