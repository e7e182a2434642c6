import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { clip, spoiltClip, testTools, type ClipName } from '../../../tests/support/clips.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { script } from '../../../tests/support/scripts.ts';
import { box, copyOfTrack, withCopies, withIndex } from '../../../tests/support/tracks.ts';
import { uploadLimits } from '../limits.ts';
import { createInspector, type Inspect } from './inspect.ts';

let inspect: Inspect;
let folder: string;
beforeAll(async () => {
  inspect = createInspector({ ffprobe: (await testTools()).ffprobe.path });
  folder = await mkdtemp(join(tmpdir(), 'inspect-'));
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

describe('ordinary clips are accepted, and measured as a viewer sees them', () => {
  test.each<[ClipName, object]>([
    ['plain', { duration: 1, width: 64, height: 48 }],
    ['faststart', { duration: 1, width: 64, height: 48 }],
    ['silent', { duration: 1, width: 64, height: 48 }],
    ['oddSize', { duration: 1, width: 63, height: 47 }],
    ['chroma444', { duration: 1, width: 64, height: 48 }],
    ['hevc10', { duration: 1, width: 64, height: 64 }],
    ['rotated', { duration: 1, width: 48, height: 64 }],
    ['widePixels', { duration: 1, width: 128, height: 64 }],
    ['oneFrame', { duration: 0.04, width: 64, height: 48 }],
    ['fast240', { duration: 1, width: 64, height: 48 }],
    ['mpeg4', { duration: 1, width: 64, height: 48 }],
    ['withCover', { duration: 1, width: 64, height: 48 }],
    ['sixty', { duration: 60, width: 64, height: 48 }],
    ['minute4k60', { duration: 60, width: 3840, height: 2160 }],
    ['large', { duration: 0.2, width: 2560, height: 1440 }],
  ])('%s', async (name, facts) => {
    expect((await inspect(await clip(name))).facts).toEqual(facts);
  });

  test('fragmented, whose header names no duration', async () => {
    const { facts } = await inspect(await clip('fragmented'));
    expect(facts.duration).toBeGreaterThan(0.9);
    expect(facts.duration).toBeLessThan(1.1);
  });

  test('1799 frames at 29.97 a second, which is 60.03 s', async () => {
    expect((await inspect(await clip('sixtyNtsc'))).facts.duration).toBeCloseTo(60.027, 2);
  });
});

describe('a file that was accepted is known by the hash of its bytes', () => {
  const counted = async (): Promise<{ inspect: Inspect; runs: () => Promise<number> }> => {
    const runs = join(folder, `runs-${randomUUID()}`);
    await writeFile(runs, '');
    const { path } = (await testTools()).ffprobe;
    const ffprobe = await script(folder, 'counted', `echo >> ${runs}; exec ${path} "$@"`);
    return { inspect: createInspector({ ffprobe }), runs: async () => (await readFile(runs)).length };
  };
  const [one, other] = ['1'.repeat(64), '2'.repeat(64)];

  test('and is not inspected again; another one is', async () => {
    const { inspect, runs } = await counted();
    const found = await inspect(await clip('plain'), { sha256: one });
    expect(await inspect(await clip('plain'), { sha256: one })).toEqual(found);
    expect(await runs()).toBe(1);
    await inspect(await clip('silent'), { sha256: other });
    expect(await runs()).toBe(2);
    await inspect(await clip('plain'));
    expect(await runs()).toBe(3);
  });

  test('unless other limits hold this time, or it was refused', async () => {
    const { inspect, runs } = await counted();
    await inspect(await clip('plain'), { sha256: one });
    await expect(
      inspect(await clip('plain'), { sha256: one, limits: { ...uploadLimits, minSide: 100 } }),
    ).rejects.toMatchObject({ code: 'dimensions_not_supported' });
    await expect(inspect(await clip('tooSmall'), { sha256: other })).rejects.toMatchObject({ kind: 'unprocessable' });
    await expect(inspect(await clip('tooSmall'), { sha256: other })).rejects.toMatchObject({ kind: 'unprocessable' });
    expect(await runs()).toBe(4);
  });
});

describe('a file whose content is not MP4 is refused as unsupported', () => {
  test.each<[ClipName, RegExp]>([
    ['webm', /not an MP4.*WebM/],
    ['matroska', /not an MP4.*Matroska/],
    ['quicktime', /QuickTime/],
    ['soundOnly', /sound only/],
  ])('%s', async (name, message) => {
    await expect(inspect(await clip(name))).rejects.toMatchObject({
      kind: 'unsupportedMedia',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['a playlist', '#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n', /playlist/],
    ['a concat script', "ffconcat version 1.0\nfile '/etc/passwd'\n", /script/],
    ['a shell script', '#!/bin/sh\nexit 0\n', /script/],
    ['a page', '<!DOCTYPE html><html></html>', /web page/],
    ['a drawing', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', /SVG/],
    ['a word', 'hello', /not an MP4/],
    ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', /picture/],
    ['M4A', '\0\0\0\x18ftypM4A \0\0\0\0isomM4A ', /audio/],
    ['an unknown brand', '\0\0\0\x10ftypabcd\0\0\0\0', /not an MP4/],
    ['nothing', '', /not an MP4/],
  ])('%s renamed .mp4', async (_what, content, message) => {
    const path = join(folder, 'renamed.mp4');
    await writeFile(path, content, 'latin1');
    await expect(inspect(path)).rejects.toMatchObject({
      kind: 'unsupportedMedia',
      code: 'not_an_mp4',
      message: expect.stringMatching(message),
    });
  });
});

describe('a file that is damaged or beyond the limits is refused as unprocessable', () => {
  test.each<[ClipName, string]>([
    ['sixtyHalf', 'video_too_long'],
    ['longSound', 'video_too_long'],
    ['tooWide', 'dimensions_not_supported'],
    ['tooSmall', 'dimensions_not_supported'],
    ['strip', 'dimensions_not_supported'],
    ['fast1000', 'frame_rate_not_supported'],
    ['motionJpeg', 'codec_not_supported'],
    ['twenty8k60', 'video_too_much_work'],
  ])('%s', async (name, code) => {
    await expect(inspect(await clip(name))).rejects.toMatchObject({ kind: 'unprocessable', code });
  });

  const cut =
    (share: number) =>
    (bytes: Buffer): Buffer =>
      bytes.subarray(0, Math.floor(bytes.length * share));
  test.each<[string, ClipName, (bytes: Buffer) => Buffer]>([
    ['cut off before its index', 'plain', cut(0.5)],
    ['cut off after its index', 'faststart', cut(0.6)],
    ['cut off by one byte', 'faststart', (bytes) => bytes.subarray(0, -1)],
    ['a fragmented one cut off', 'fragmented', cut(0.6)],
    ['with nothing but its first box', 'plain', (bytes) => bytes.subarray(0, bytes.readUInt32BE(0))],
    [
      'with an index of noise',
      'faststart',
      (bytes) => Buffer.from(bytes).fill(0xa5, bytes.indexOf('moov') + 4, bytes.indexOf('mdat') - 4),
    ],
    [
      'with a box that claims 16 exabytes',
      'plain',
      (bytes) => Buffer.concat([bytes, Buffer.from('00000001', 'hex'), Buffer.from('free'), Buffer.alloc(8, 0xff)]),
    ],
  ])('%s', async (_what, name, spoil) => {
    const path = await spoiltClip(name, join(folder, 'spoilt.mp4'), spoil);
    await expect(inspect(path)).rejects.toMatchObject({ kind: 'unprocessable', code: 'damaged_video' });
  });

  test('a header with a wrong length does not help', async () => {
    const path = await spoiltClip('sixtyHalf', join(folder, 'liar.mp4'), (bytes) => {
      const lie = Buffer.from(bytes);
      for (const [box, offset] of [
        ['mvhd', 20],
        ['tkhd', 24],
        ['mdhd', 20],
      ] as const)
        lie.writeUInt32BE(1, lie.indexOf(box) + offset);
      return lie;
    });
    await expect(inspect(path)).rejects.toMatchObject({ code: 'video_too_long' });
  });
});

describe('tracks', () => {
  /** Its ffprobe does not exist, so everything that it refuses, it refuses by the index. */
  const withoutFfprobe = createInspector({ ffprobe: '/nonexistent/ffprobe' });

  test.each<[string, ClipName, (movie: Buffer) => Buffer]>([
    ['as cameras have them: one picture, six others', 'plain', (movie) => withCopies(movie, 6, { which: 1 })],
    ['of two lenses', 'plain', (movie) => withCopies(movie, 2)],
    ['up to the limits', 'plain', (movie) => withCopies(withCopies(movie, 12, { which: 1 }), 4)],
  ])('%s are taken', async (_what, name, change) => {
    expect((await inspect(await spoiltClip(name, join(folder, 'tracks.mp4'), change))).facts).toMatchObject({
      width: 64,
      height: 48,
    });
  });

  test.each<[string, ClipName, string, RegExp, (movie: Buffer) => Buffer]>([
    [
      'more tracks',
      'plain',
      'too_many_streams',
      /17 tracks; at most 16/,
      (movie) => withCopies(movie, 16, { which: 1 }),
    ],
    [
      'a thousand tracks',
      'silent',
      'too_many_streams',
      /has more than 16 tracks; at most 16/,
      (movie) => withCopies(movie, 1_000),
    ],
    ['more pictures', 'plain', 'too_many_streams', /5 video tracks; at most 4/, (movie) => withCopies(movie, 5)],
    [
      'more tracks for its fragments',
      'plain',
      'too_many_streams',
      /17 tracks; at most 16/,
      (movie) =>
        withIndex(movie, (boxes) => [
          ...boxes.map(({ bytes }) => bytes),
          box('mvex', ...Array.from({ length: 17 }, () => box('trex', Buffer.alloc(24)))),
        ]),
    ],
    [
      'no end of boxes',
      'plain',
      'video_too_complex',
      /too many parts/,
      (movie) =>
        withIndex(movie, (boxes) => [
          ...Array.from({ length: 5_000 }, () => box('free')),
          ...boxes.map(({ bytes }) => bytes),
        ]),
    ],
  ])('an index with %s is refused before a decoder sees the file', async (_what, name, code, message, change) => {
    const path = await spoiltClip(name, join(folder, 'tracks.mp4'), change);
    await expect(withoutFfprobe(path)).rejects.toMatchObject({
      kind: 'unprocessable',
      code,
      message: expect.stringMatching(message),
    });
  });

  test.each<[string, (movie: Buffer) => Buffer]>([
    [
      'where only FFmpeg looks for them',
      (movie) =>
        withIndex(movie, (boxes) => [
          ...boxes.map(({ bytes }) => bytes),
          box(
            'moov',
            ...Array.from({ length: 30 }, (_, index) =>
              copyOfTrack(
                boxes.find(({ type }) => type === 'trak')!,
                100 + index,
              ),
            ),
          ),
        ]),
    ],
    ['that claim to be no pictures', (movie) => withCopies(movie, 10, { handler: 'meta' })],
  ])('hidden tracks, %s, are refused as well', async (_what, change) => {
    const path = await spoiltClip('silent', join(folder, 'tracks.mp4'), change);
    await expect(inspect(path)).rejects.toMatchObject({ kind: 'unprocessable', code: 'too_many_streams' });
  });
});

test('owners take turns: many files of one delay the file of another by one of them', async () => {
  const order: string[] = [];
  const turnwise = createInspector({ ffprobe: await script(folder, 'no-ffprobe', 'exit 1') });
  const path = await clip('plain');
  const look = (ownerId: string): Promise<void> =>
    turnwise(path, { ownerId })
      .catch(() => void order.push(ownerId))
      .then(() => undefined);
  await Promise.all([...Array.from({ length: 40 }, () => look('greedy')), look('other')]);
  // The other user's file is the fourth to begin. On a busy machine several may end before it, but never half of the forty.
  expect(order.indexOf('other')).toBeLessThan(20);
});

test('a file of very many boxes is refused before ffprobe reads them, unless it skips them', async () => {
  const padded = async (name: string, filler: Buffer): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, Buffer.concat([await readFile(await clip('plain')), filler]));
    return path;
  };
  const emptyBoxes = Buffer.alloc(12_000_000, Buffer.from('0000000866726565', 'hex'));
  const atTop = await padded('top.mp4', emptyBoxes);
  // The boxes are inside one box, whose contents FFmpeg reads as boxes.
  const head = Buffer.from('000000007564746100', 'hex').subarray(0, 8);
  head.writeUInt32BE(emptyBoxes.length + 8);
  const nested = await padded('nested.mp4', Buffer.concat([head, emptyBoxes]));
  for (const path of [atTop, nested])
    await expect(inspect(path)).rejects.toMatchObject({ kind: 'unprocessable', code: 'video_too_complex' });
  // Cameras append one box of their own, which ffprobe skips.
  const ownBox = Buffer.from(head);
  ownBox.write('inst', 4, 'latin1');
  const appended = await padded('appended.mp4', Buffer.concat([ownBox, emptyBoxes]));
  expect((await inspect(appended)).facts).toMatchObject({ width: 64, height: 48 });
});

test('two files are inspected at a time; one that waits can be aborted', async () => {
  const begun = join(folder, 'begun');
  await mkdir(begun);
  const slow = createInspector({
    ffprobe: await script(
      folder,
      'slow-ffprobe',
      `touch ${begun}/$$; while [ ! -e ${folder}/go ]; do sleep 0.05; done; exit 1`,
    ),
  });
  const path = await clip('plain');
  const givenUp = new AbortController();
  const looks = Array.from({ length: 4 }, () => slow(path)).map((look) => look.catch((error: Error) => error));
  const waiting = slow(path, { signal: givenUp.signal });
  await eventually(async () => (await readdir(begun)).length >= 2, { what: 'two looks have begun' });
  givenUp.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  // Long enough for others to begin, if they could.
  await inspect(path);
  expect(await readdir(begun)).toHaveLength(2);
  await writeFile(join(folder, 'go'), '');
  for (const look of looks) expect(await look).toMatchObject({ code: 'damaged_video' });
});
