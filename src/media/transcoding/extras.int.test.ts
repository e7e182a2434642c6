import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip, testTools, type ClipName } from '../../../tests/support/clips.ts';
import { createInspector } from '../inspecting/inspect.ts';
import { renditionLimits } from '../limits.ts';
import { makeExtras, planExtras, type Extras, type ExtrasPlan } from './extras.ts';
import { masterPlaylist, mediaPlaylist } from './playlists.ts';
import { planRendition } from './rendition.ts';
import { transcode } from './transcode.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'extras-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Made {
  readonly folder: string;
  readonly plan: ExtrasPlan;
  readonly extras: Extras;
  readonly master: string;
}

/** What is made of a movie. */
async function extrasOf(movie: string, name: string): Promise<Made> {
  const { ffmpeg, ffprobe } = await testTools();
  const found = await createInspector({ ffprobe: ffprobe.path })(movie, { limits: renditionLimits });
  const plan = planExtras(found.facts, found.audio !== undefined);
  const into = join(folder, `${name}-extras`);
  await mkdir(into);
  const extras = await makeExtras(movie, into, plan, { ffmpeg: ffmpeg.path });
  for (const track of [...extras.pictures, ...(extras.sound ? [extras.sound] : [])])
    await writeFile(join(into, track.playlist), mediaPlaylist(track));
  const master = join(into, 'master.m3u8');
  await writeFile(master, masterPlaylist(extras.pictures, extras.sound));
  return { folder: into, plan, extras, master };
}

/** What is made of an upload, by the way of the movie that is played. */
async function made(name: ClipName): Promise<Made> {
  const { ffmpeg, ffprobe } = await testTools();
  const files = { movie: join(folder, `${name}.mp4`), picture: join(folder, `${name}.jpg`) };
  const { video, audio } = await createInspector({ ffprobe: ffprobe.path })(await clip(name));
  await transcode(await clip(name), files, planRendition(video, audio), { ffmpeg: ffmpeg.path });
  return extrasOf(files.movie, name);
}

/** The times of the key frames that a player would find, by decoding a playlist with FFmpeg itself. */
async function keyFrames(playlist: string): Promise<number[]> {
  const { ffprobe } = await testTools();
  const shown = ['-select_streams', 'v:0', '-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0'];
  const { stdout } = await run(ffprobe.path, ['-v', 'error', ...shown, playlist]);
  const packets = stdout.trim().split('\n');
  const first = Number(packets[0]!.split(',')[0]);
  return packets.filter((line) => line.includes(',K')).map((line) => Number(line.split(',')[0]) - first);
}

async function decoded(input: string, stream: string): Promise<number> {
  const { ffmpeg } = await testTools();
  const counting = ['-map', stream, '-f', 'null', '-progress', 'pipe:1', '-nostats', '-'];
  const { stdout } = await run(ffmpeg.path, ['-v', 'error', '-xerror', '-i', input, ...counting]);
  const time = [...stdout.matchAll(/^out_time_(?:us|ms)=(\d+)/gm)].at(-1)![1];
  return Number(time) / 1e6;
}

async function sizeOf(file: string): Promise<string> {
  const { ffprobe } = await testTools();
  const shown = ['-show_entries', 'stream=codec_type,width,height', '-of', 'csv=p=0'];
  return (await run(ffprobe.path, ['-v', 'error', ...shown, file])).stdout.trim();
}

describe('the ladder of a clip in 720p', () => {
  let hd: Made;
  beforeAll(async () => {
    hd = await made('hd');
  }, 60_000);

  test('is played to its end by FFmpeg, from the master playlist, in every size and with sound', async () => {
    expect(await sizeOf(hd.master)).toContain('video,1280,720');
    for (let n = 0; n < 4; n++) expect(await decoded(hd.master, `0:v:${n}`)).toBeCloseTo(10, 1);
    expect(await decoded(hd.master, '0:a:0')).toBeCloseTo(10, 1);
  }, 60_000);

  test('has segments of two seconds, which begin with a key frame at the same times in every rung, and has no others', async () => {
    const { pictures } = hd.extras;
    expect(pictures.map(({ rung }) => rung.name)).toEqual(['240', '360', '480', '720']);
    for (const { playlist, content } of pictures) {
      expect(content.fragments.map(({ start }) => start)).toEqual([0, 2, 4, 6, 8]);
      const times = await keyFrames(join(hd.folder, playlist));
      expect(times.map((time) => Math.round(time * 1000))).toEqual([0, 2000, 4000, 6000, 8000]);
    }
  }, 60_000);

  test('names what a player chooses by', () => {
    const master = masterPlaylist(hd.extras.pictures, hd.extras.sound);
    const lines = master.split('\n').filter((line) => line.startsWith('#EXT-X-STREAM-INF:'));
    expect(lines).toHaveLength(4);
    for (const line of lines)
      expect(line).toMatch(
        /^#EXT-X-STREAM-INF:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+,RESOLUTION=\d+x\d+,FRAME-RATE=30\.000,CODECS="avc1\.6400[0-9a-f]{2},mp4a\.40\.2",AUDIO="sound"$/,
      );
    const rates = lines.map((line) => Number(/BANDWIDTH=(\d+)/.exec(line)![1]));
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
  });

  test('comes with a storyboard and a silent preview of three seconds', async () => {
    expect(await sizeOf(join(hd.folder, hd.extras.storyboard))).toBe('video,1600,90');
    const preview = join(hd.folder, hd.extras.preview);
    expect(await sizeOf(preview)).toBe('video,426,240');
    expect(await decoded(preview, '0:v:0')).toBeCloseTo(3, 1);
  });
});

test('the storyboard shows what the video shows at the beginning of each second', async () => {
  const { folder: into, extras, plan } = await made('whiteFromSecond1');
  expect(plan.storyboard).toMatchObject({ count: 3, columns: 3, width: 160, height: 90 });
  const { ffmpeg } = await testTools();
  const asThreePixels = ['-vf', 'scale=3:1:flags=area', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'];
  const { stdout } = await run(ffmpeg.path, ['-v', 'error', '-i', join(into, extras.storyboard), ...asThreePixels], {
    encoding: 'buffer',
  });
  expect([...stdout].map((brightness) => (brightness > 128 ? 'white' : 'black'))).toEqual(['black', 'white', 'white']);
}, 30_000);

describe('odd clips have everything', () => {
  test.each<[ClipName, string, number]>([
    ['plain', '64x48', 1],
    ['silent', '64x48', 1],
    ['oneFrame', '64x48', 0.04],
    ['onePictureFor3Seconds', '64x48', 3],
    ['rotated', '48x64', 1],
    ['narrow', '16x510', 0.4],
    ['fast240', '64x48', 1],
  ])(
    '%s',
    async (name, size, seconds) => {
      const { folder: into, extras, master } = await made(name);
      expect(extras.pictures.map(({ rung }) => `${rung.width}x${rung.height}`)).toEqual([size]);
      expect(await decoded(master, '0:v:0')).toBeCloseTo(seconds, 0);
      expect(await sizeOf(join(into, extras.storyboard))).toMatch(/^video,\d+,\d+$/);
      expect(await sizeOf(join(into, extras.preview))).toMatch(/^video,\d+,\d+$/);
    },
    30_000,
  );
});

test('a movie of an earlier version, whose key frames are elsewhere, is encoded anew for the highest rung', async () => {
  const { ffmpeg } = await testTools();
  const movie = join(folder, 'earlier.mp4');
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '40'];
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=320x300:rate=25:duration=5'];
  await run(ffmpeg.path, ['-v', 'error', ...source, ...h264, movie]);
  const { extras } = await extrasOf(movie, 'earlier');
  expect(extras.pictures.map(({ content }) => content.fragments.map(({ start }) => start))).toEqual([
    [0, 2, 4],
    [0, 2, 4],
  ]);
}, 30_000);
