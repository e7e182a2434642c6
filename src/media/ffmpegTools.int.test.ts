import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findFfmpegTools } from './ffmpegTools.ts';

let folder: string;
const script = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
};
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'tools-')); });
afterAll(() => rm(folder, { recursive: true }));

test('without any on the machine the ones that npm brought along are found, made executable and run', async () => {
  const { ffmpeg, ffprobe } = await findFfmpegTools({ binFolder: join(folder, 'bin'), searchPath: '' });
  expect([ffmpeg.source, ffprobe.source]).toEqual(['package', 'package']);
  expect(ffmpeg.version).not.toBe('');
});

test('one on PATH is taken when it is newer, and left when it is older or cannot do what we need', async () => {
  const fake = (libavcodec: string, encoders: string): string =>
    `if [ "$1" = "-version" ]; then echo "ffmpeg version 9.9"; echo "libavcodec ${libavcodec}"; else echo "${encoders}"; fi`;
  const all = ' V..... libx264 x\n A..... aac x\n VFS... mjpeg x';
  const find = async (text: string): Promise<string> => {
    await script('ffmpeg', text);
    return (await findFfmpegTools({ binFolder: join(folder, 'bin'), searchPath: ['/nonexistent', folder].join(delimiter) })).ffmpeg.source;
  };
  expect(await find(fake('99. 1.100', all))).toBe('path');
  expect(await find(fake('20. 1.100', all))).toBe('package');
  expect(await find(fake('99. 1.100', ' A..... aac x\n VFS... mjpeg x'))).toBe('package');
  expect(await find('exit 1')).toBe('package');
});

test('a named one is used or the start fails, with a sentence that names the variable', async () => {
  const { ffprobe } = await findFfmpegTools({ binFolder: join(folder, 'bin'), searchPath: '' });
  await symlink(ffprobe.path, join(folder, 'my-ffprobe'));
  const found = await findFfmpegTools({ binFolder: join(folder, 'bin'), searchPath: '', ffprobePath: join(folder, 'my-ffprobe') });
  expect(found.ffprobe).toMatchObject({ path: join(folder, 'my-ffprobe'), source: 'named' });
  await expect(findFfmpegTools({ binFolder: folder, ffmpegPath: '/no/ffmpeg' })).rejects.toThrow(/FFMPEG_PATH names \/no\/ffmpeg/);
  await expect(findFfmpegTools({ binFolder: folder, ffprobePath: await script('liar', 'echo hello') })).rejects.toThrow(/FFPROBE_PATH names .*does not answer like ffprobe/);
});
