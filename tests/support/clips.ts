import { execFile } from 'node:child_process';
import { access, copyFile, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFfmpegTools, type FfmpegTools } from '../../src/media/ffmpeg/ffmpegTools.ts';

const run = promisify(execFile);
/** Raise it when a recipe changes: clips are kept between runs. */
const RECIPES = 7;
const folder = join(tmpdir(), `reelstream-clips-${RECIPES}`);

const picture = (size: string, seconds: number, rate: number | string = 25): string[] => [
  '-f',
  'lavfi',
  '-i',
  `testsrc=size=${size}:rate=${rate}:duration=${seconds}`,
];
const plainColour =
  (colour: string) =>
  (size: string, seconds: number, rate: number | string): string[] => [
    '-f',
    'lavfi',
    '-i',
    `color=${colour}:size=${size}:rate=${rate}:duration=${seconds}`,
  ];
const blank = plainColour('black');
const white = plainColour('white');
const sound = (seconds: number): string[] => ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`];
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const plain = [...picture('64x48', 1), ...sound(1), ...h264, '-c:a', 'aac'];

/** The arguments of FFmpeg for each clip, without the file name. */
const recipes = {
  plain,
  faststart: [...plain, '-movflags', '+faststart'],
  silent: [...picture('64x48', 1), ...h264],
  oddSize: [...picture('63x47', 1), '-c:v', 'libx264', '-pix_fmt', 'yuv444p'],
  chroma444: [...picture('64x48', 1), '-c:v', 'libx264', '-pix_fmt', 'yuv444p'],
  hevc10: [
    ...picture('64x64', 1),
    '-c:v',
    'libx265',
    '-x265-params',
    'log-level=error',
    '-pix_fmt',
    'yuv420p10le',
    '-tag:v',
    'hvc1',
  ],
  fragmented: [...plain, '-movflags', 'frag_keyframe+empty_moov'],
  widePixels: [...picture('64x64', 1), '-vf', 'setsar=2/1', ...h264],
  oneFrame: [...picture('64x48', 1), '-frames:v', '1', ...h264],
  large: [...picture('2560x1440', 0.2), ...h264],
  fast240: [...picture('64x48', 1, 240), ...h264],
  fast1000: [...picture('64x48', 0.5, 1000), ...h264],
  mpeg4: [...picture('64x48', 1), '-c:v', 'mpeg4'],
  located: [
    ...plain,
    '-metadata',
    'location=+48.8584+002.2945/',
    '-metadata',
    'title=secret place',
    '-movflags',
    '+use_metadata_tags',
  ],
  sixty: [...picture('64x48', 60, 10), ...sound(60), ...h264, '-c:a', 'aac', '-t', '60'],
  sixtyNtsc: [...picture('64x48', 61, '30000/1001'), ...h264, '-frames:v', '1799'],
  sixtyHalf: [...picture('64x48', 60.5, 10), ...h264],
  longSound: [...picture('64x48', 1), ...sound(70), ...h264, '-c:a', 'aac'],
  tooWide: [...picture('8192x64', 0.2, 5), ...h264],
  strip: [...picture('4096x16', 0.2, 5), ...h264],
  /**
   * The most extreme aspect ratio that is allowed. Rounding its size to even numbers makes it slightly more extreme.
   */
  narrow: [...picture('17x510', 0.4, 5), '-c:v', 'libx264', '-pix_fmt', 'yuv444p'],
  tooSmall: [...picture('8x8', 0.4, 5), ...h264],
  soundOnly: [...sound(1), '-c:a', 'aac', '-f', 'mp4'],
  motionJpeg: [...picture('64x48', 1), '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p'],
  webm: [...picture('64x48', 0.4), '-c:v', 'libvpx', '-f', 'webm'],
  matroska: [...picture('64x48', 0.4), ...h264, '-f', 'matroska'],
  quicktime: [...picture('64x48', 0.4), ...h264, '-f', 'mov'],
  half4k: [...blank('3840x2160', 0.5, 60), ...h264],
  half8k: [...blank('7680x4320', 0.5, 60), ...h264],
  /** What phones record, but easy to encode: what the server adds to FFmpeg's own time shows clearly. */
  hd: [...picture('1280x720', 10, 30), ...sound(10), ...h264, '-c:a', 'aac'],
  /** As phones hold it, for the web page. */
  portrait: [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=540x960:rate=25:duration=3',
    ...sound(3),
    ...h264,
    '-c:a',
    'aac',
    '-shortest',
  ],
  /** Several segments and two rungs, and quickly encoded. */
  fiveSeconds: [...picture('428x320', 5, 10), ...sound(5), ...h264, '-c:a', 'aac'],
  whiteFromSecond1: [...blank('1280x720', 1, 25), ...white('1280x720', 2, 25), '-filter_complex', 'concat', ...h264],
  whiteFromMiddle: [...blank('64x48', 1, 25), ...white('64x48', 1, 25), '-filter_complex', 'concat', ...h264],
  onePictureFor3Seconds: [...white('64x48', 3, '1/3'), ...h264],
  /** Takes seconds to transcode, on any machine. */
  slow: [...picture('1280x720', 10, 30), ...h264, '-g', '300'],
} as const satisfies Record<string, readonly string[]>;

/** A short clip that is repeated without decoding. */
const loops = {
  /** The highest quality that phones record. */
  minute4k60: ['half4k', 60],
  /** Twenty seconds of 8K at 60 frames a second. It keeps each single limit, but is too much work. */
  twenty8k60: ['half8k', 20],
} as const satisfies Record<string, readonly [clip: keyof typeof recipes, seconds: number]>;

export type ClipName = keyof typeof recipes | keyof typeof loops | 'rotated' | 'withCover';

let tools: Promise<FfmpegTools> | undefined;

/** The FFmpeg and ffprobe that the tests use, found as the program finds them. */
export function testTools(): Promise<FfmpegTools> {
  return (tools ??= findFfmpegTools({ binFolder: join(tmpdir(), 'reelstream-bin'), searchPath: process.env['PATH'] }));
}

/** The path of a clip. FFmpeg creates it at its first use. Do not change the file; change a copy. */
export async function clip(name: ClipName): Promise<string> {
  const path = join(folder, `${name}.mp4`);
  if (
    await access(path).then(
      () => true,
      () => false,
    )
  )
    return path;
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `${name}.${process.pid}.tmp.mp4`);
  await run((await testTools()).ffmpeg.path, [
    '-hide_banner',
    '-loglevel',
    'error',
    '-nostdin',
    '-y',
    ...(await recipe(name)),
    temporary,
  ]);
  // Another process may have made it meanwhile, and a test may be reading it: it is not replaced.
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(temporary);
  return path;
}

async function recipe(name: ClipName): Promise<readonly string[]> {
  if (name === 'withCover') {
    const cover = join(folder, `cover.${process.pid}.jpg`);
    await run((await testTools()).ffmpeg.path, [
      '-loglevel',
      'error',
      '-y',
      '-i',
      await clip('plain'),
      '-frames:v',
      '1',
      cover,
    ]);
    return [
      '-i',
      await clip('plain'),
      '-i',
      cover,
      '-map',
      '0',
      '-map',
      '1',
      '-c',
      'copy',
      '-disposition:v:1',
      'attached_pic',
    ];
  }
  if (name in loops) {
    const [looped, seconds] = loops[name as keyof typeof loops];
    return ['-stream_loop', String(seconds * 2 - 1), '-i', await clip(looped), '-c', 'copy'];
  }
  if (name !== 'rotated') return recipes[name as keyof typeof recipes];
  // Newer versions of FFmpeg ignore a rotation in the metadata, so the file is patched.
  const source = join(folder, `turned.${process.pid}.mp4`);
  await writeFile(source, turnRight(await readFile(await clip('plain'))));
  return ['-i', source, '-c', 'copy', '-map', '0'];
}

/** Writes the matrix of a rotation by 90° into the first track header (ISO/IEC 14496-12, 8.3.2). */
function turnRight(file: Buffer): Buffer {
  const turned = Buffer.from(file);
  const matrix = turned.indexOf('tkhd') + 4 + 40;
  [0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000].forEach((value, index) =>
    turned.writeInt32BE(value, matrix + index * 4),
  );
  return turned;
}

/** Writes a changed copy of a clip to `target`. */
export async function spoiltClip(name: ClipName, target: string, spoil: (bytes: Buffer) => Buffer): Promise<string> {
  const path = await clip(name);
  await copyFile(path, target);
  await writeFile(target, spoil(await readFile(path)));
  return target;
}
