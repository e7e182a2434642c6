import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip, testTools, type ClipName } from '../../../tests/support/clips.ts';
import { createInspector } from '../inspecting/inspect.ts';
import { planRendition } from './rendition.ts';
import { transcode, type RenditionFiles } from './transcode.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'transcode-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function made(name: ClipName): Promise<RenditionFiles> {
  const { ffmpeg, ffprobe } = await testTools();
  const files = { movie: join(folder, `${name}.mp4`), picture: join(folder, `${name}.jpg`) };
  const { video, audio } = await createInspector({ ffprobe: ffprobe.path })(await clip(name));
  await transcode(await clip(name), files, planRendition(video, audio), { ffmpeg: ffmpeg.path });
  return files;
}

/** The size of a JPEG, and its mean brightness, 0 to 255. */
async function look(picture: string): Promise<{ size: string; brightness: number }> {
  const { ffmpeg, ffprobe } = await testTools();
  const shown = ['-v', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0', picture];
  const { stdout: size } = await promisify(execFile)(ffprobe.path, shown);
  const asOnePixel = ['-vf', 'scale=1:1', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'];
  const { stdout } = await promisify(execFile)(ffmpeg.path, ['-v', 'error', '-i', picture, ...asOnePixel], {
    encoding: 'buffer',
  });
  return { size: size.trim(), brightness: stdout[0]! };
}

describe('the thumbnail', () => {
  test('shows second 1 of a clip, at most 640 pixels wide', async () => {
    const { size, brightness } = await look((await made('whiteFromSecond1')).picture);
    expect(size).toBe('mjpeg,640,360');
    expect(brightness).toBeGreaterThan(240);
  }, 30_000);

  test('shows the beginning of a clip of two seconds or less, in the size of the rendition', async () => {
    const { size, brightness } = await look((await made('whiteFromMiddle')).picture);
    expect(size).toBe('mjpeg,64,48');
    expect(brightness).toBeLessThan(20);
  });

  test('of a clip that has no picture at second 1 or later shows its only picture', async () => {
    expect((await look((await made('onePictureFor3Seconds')).picture)).brightness).toBeGreaterThan(240);
  });

  test('of a turned clip is turned', async () => {
    expect((await look((await made('rotated')).picture)).size).toBe('mjpeg,48,64');
  });
});
