import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mayRead, script } from '../../../tests/support/scripts.ts';
import { findFfmpegTools, type FfmpegTools } from './ffmpegTools.ts';

const ENCODERS = ' V..... libx264 x\n A..... aac x\n VFS... mjpeg x';

const isRoot = process.geteuid?.() === 0;
/** A user that every system has. Unlike root, this user cannot enter folders that are closed to others. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const asOrdinaryUser = !isRoot || mayRead(import.meta.dirname) ? test : test.skip;
if (asOrdinaryUser === test.skip)
  process.stderr.write('SKIPPED: what an ordinary user finds on PATH, since this clone is closed to others\n');

let root: string;
let folder: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tools-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'path-'));
});
afterAll(() => rm(root, { recursive: true }));

const fake = (
  into: string,
  name: string,
  { version = '5.1.9', libavcodec = '59. 37.100', encoders = ENCODERS } = {},
): Promise<string> =>
  script(
    into,
    name,
    `if [ "$1" = "-version" ]; then echo "${name} version ${version}"; echo "libavcodec ${libavcodec}"; else echo "${encoders}"; fi`,
  );
const find = (
  options: { ffmpegPath?: string; ffprobePath?: string; path?: readonly string[] } = {},
): Promise<FfmpegTools> => {
  const { path = [folder], ...named } = options;
  return findFfmpegTools({
    ...named,
    binFolder: join(root, 'bin'),
    searchPath: ['/nonexistent', ...path].join(delimiter),
  });
};

test('without a pair on PATH, the pair from npm is found, made executable and run', async () => {
  const { ffmpeg, ffprobe, passedOver } = await find();
  expect([ffmpeg.source, ffprobe.source, passedOver]).toEqual(['package', 'package', []]);
  expect(ffmpeg.version).not.toBe('');
});

describe('the pair on PATH', () => {
  test('is used although the pair from npm has a newer libavcodec', async () => {
    await fake(folder, 'ffmpeg', { libavcodec: '58. 18.100' });
    await fake(folder, 'ffprobe', { libavcodec: '58. 18.100' });
    expect(await find()).toMatchObject({
      ffmpeg: { path: join(folder, 'ffmpeg'), source: 'path' },
      ffprobe: { path: join(folder, 'ffprobe'), source: 'path' },
      passedOver: [],
    });
  });

  test.each<[string, (into: string) => Promise<unknown>, RegExp]>([
    [
      'is too old',
      (into) => Promise.all([fake(into, 'ffmpeg', { libavcodec: '57.107.100' }), fake(into, 'ffprobe')]),
      /older than FFmpeg 4\.0/,
    ],
    [
      'has no x264',
      (into) =>
        Promise.all([fake(into, 'ffmpeg', { encoders: ' A..... aac x\n VFS... mjpeg x' }), fake(into, 'ffprobe')]),
      /without the encoder libx264/,
    ],
    [
      'does not run',
      (into) => Promise.all([script(into, 'ffmpeg', 'exit 1'), fake(into, 'ffprobe')]),
      /Command failed/,
    ],
    ['has no ffprobe', (into) => fake(into, 'ffmpeg'), /no usable ffprobe beside it/],
    [
      'is of two builds',
      (into) => Promise.all([fake(into, 'ffmpeg', { version: '7.0' }), fake(into, 'ffprobe', { version: '6.1' })]),
      /version 7\.0.*version 6\.1/,
    ],
  ])('that %s is passed over as a pair, with the reason', async (_what, make, reason) => {
    await make(folder);
    const { ffmpeg, ffprobe, passedOver } = await find();
    expect([ffmpeg.source, ffprobe.source]).toEqual(['package', 'package']);
    expect(passedOver).toEqual([expect.stringMatching(reason)]);
    expect(passedOver[0]).toContain(folder);
  });

  test('whose folder is on PATH several times, under different names, is reported once', async () => {
    await fake(folder, 'ffmpeg');
    const link = `${folder}-link`;
    await symlink(folder, link);
    const { passedOver } = await find({ path: [folder, link, `${folder}/`, folder] });
    expect(passedOver).toEqual([expect.stringContaining(`The FFmpeg in ${folder} is not used`)]);
  });

  test('that is not executable is reported', async () => {
    await writeFile(join(folder, 'ffmpeg'), '');
    expect((await find()).passedOver).toEqual([expect.stringMatching(/EACCES/)]);
  });

  asOrdinaryUser('is looked for in silence in folders that this user may not search', async () => {
    const [closed, open] = [join(folder, 'closed'), join(folder, 'open')];
    await Promise.all([mkdir(closed), mkdir(open)]);
    await Promise.all([fake(open, 'ffmpeg'), fake(open, 'ffprobe')]);
    for (const each of [root, folder]) await chmod(each, 0o755);
    await chmod(closed, 0o000);
    const options = JSON.stringify({
      binFolder: join(root, 'bin'),
      searchPath: [closed, join(closed, 'bin'), open].join(delimiter),
    });
    const program = `import { findFfmpegTools } from ${JSON.stringify(join(import.meta.dirname, 'ffmpegTools.ts'))}; console.log(JSON.stringify(await findFfmpegTools(${options})))`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      isRoot ? { ...NOBODY, cwd: root } : {},
    );
    expect(JSON.parse(stdout)).toMatchObject({ ffmpeg: { path: join(open, 'ffmpeg') }, passedOver: [] });
  });

  test('in a later folder is used before the pair from npm', async () => {
    const later = join(folder, 'later');
    await mkdir(later);
    await fake(folder, 'ffmpeg');
    await Promise.all([fake(later, 'ffmpeg'), fake(later, 'ffprobe')]);
    const { ffmpeg, ffprobe, passedOver } = await find({ path: [folder, later] });
    expect([ffmpeg.path, ffprobe.path, passedOver.length]).toEqual([join(later, 'ffmpeg'), join(later, 'ffprobe'), 1]);
  });
});

describe('a named FFmpeg', () => {
  test('or a named ffprobe is used with the other program from its folder', async () => {
    const packaged = await find();
    const named = join(folder, 'named');
    await mkdir(named);
    await symlink(packaged.ffmpeg.path, join(named, 'ffmpeg'));
    await expect(find({ ffmpegPath: join(named, 'ffmpeg') })).rejects.toThrow(
      `There is no usable ${join(named, 'ffprobe')} beside ${join(named, 'ffmpeg')}: set FFPROBE_PATH`,
    );
    await Promise.all([
      fake(named, 'ffprobe', { version: packaged.ffmpeg.version }),
      fake(folder, 'ffmpeg'),
      fake(folder, 'ffprobe'),
    ]);
    const pair = {
      ffmpeg: { path: join(named, 'ffmpeg'), source: 'named' },
      ffprobe: { path: join(named, 'ffprobe'), source: 'named' },
    };
    expect(await find({ ffmpegPath: join(named, 'ffmpeg') })).toMatchObject(pair);
    expect(await find({ ffprobePath: join(named, 'ffprobe') })).toMatchObject(pair);
  });

  test('of another build than its ffprobe fails the start', async () => {
    const [ffmpegPath, ffprobePath] = [
      await fake(folder, 'ffmpeg', { version: '7.0' }),
      await fake(folder, 'ffprobe', { version: '6.1' }),
    ];
    await expect(find({ ffmpegPath, ffprobePath })).rejects.toThrow(
      /version 7\.0 and .* version 6\.1: set FFMPEG_PATH and FFPROBE_PATH to programs of the same build/,
    );
    await expect(find({ ffmpegPath })).rejects.toThrow(/version 7\.0 and .* version 6\.1/);
  });

  test('that cannot be used fails the start, with a sentence that names the variable', async () => {
    await expect(find({ ffmpegPath: '/no/ffmpeg', ffprobePath: '/no/ffprobe' })).rejects.toThrow(
      /^FF(MPEG|PROBE)_PATH names \/no\/ff/,
    );
    const [ffmpegPath, ffprobePath] = [await fake(folder, 'ffmpeg'), await script(folder, 'liar', 'echo hello')];
    await expect(find({ ffmpegPath, ffprobePath })).rejects.toThrow(
      /FFPROBE_PATH names .*does not answer like ffprobe/,
    );
  });
});
