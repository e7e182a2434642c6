import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { clip, spoiltClip, testTools } from '../../../tests/support/clips.ts';
import { untrustedInput } from './untrustedInput.ts';
import { uploadLimits } from '../limits.ts';
import type { FfmpegTools } from './ffmpegTools.ts';
import { createInspector } from '../inspecting/inspect.ts';
import { probe, Unreadable } from '../inspecting/probe.ts';
import { transcode } from '../transcoding/transcode.ts';

let tools: FfmpegTools;
let folder: string;
let bait: Server;
let url: string;
let contacts = 0;

beforeAll(async () => {
  tools = await testTools();
  folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
  bait = createServer((socket) => {
    contacts += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => bait.once('listening', resolve));
  url = `http://127.0.0.1:${(bait.address() as AddressInfo).port}/x.ts`;
}, 60_000);
beforeEach(() => {
  contacts = 0;
});
afterAll(async () => {
  await new Promise((resolve) => bait.close(resolve));
  await rm(folder, { recursive: true });
});

const plan = {
  videoStream: 0,
  audioStream: undefined,
  width: 64,
  height: 48,
  frameRate: undefined,
  maxPixels: uploadLimits.maxPixels,
  mostErrors: new Map([[0, 0]]),
  duration: 1,
};

const outputs = (): { movie: string; picture: string } => ({
  movie: join(folder, 'out.mp4'),
  picture: join(folder, 'out.jpg'),
});

/** What a program prints about an input, with these options before it. */
function says(
  program: string,
  options: readonly string[],
  input: string,
  output: readonly string[] = [],
): Promise<string> {
  const args =
    program === tools.ffprobe.path
      ? ['-v', 'info', ...options, '-show_entries', 'packet=pts_time', '-i', input]
      : ['-v', 'info', '-nostdin', ...options, '-i', input, ...output, '-f', 'null', '-'];
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 20_000 }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}

describe('scripts that make FFmpeg open URLs and other files, renamed to .mp4 and past the check of their first bytes', () => {
  const scripts = (): [string, string][] => [
    ['a playlist of URLs', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${url}\n#EXT-X-ENDLIST\n`],
    ['a playlist of playlists', `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${url}\n`],
    ['a playlist of local files', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n'],
    ['a concat script', `ffconcat version 1.0\nfile '${url}'\nfile '/etc/passwd'\n`],
    [
      'a DASH manifest',
      `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>${url}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    ],
    [
      'a session description',
      `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n`,
    ],
  ];

  test('fail, and contact nothing', async () => {
    for (const [name, content] of scripts()) {
      const path = join(folder, 'script.mp4');
      await writeFile(path, content);
      await expect(probe(tools.ffprobe.path, path)).rejects.toThrow(Unreadable);
      await expect(transcode(path, outputs(), plan, { ffmpeg: tools.ffmpeg.path })).rejects.toMatchObject({
        name: 'FfmpegFailed',
      });
      expect([name, contacts]).toEqual([name, 0]);
    }
  }, 60_000);

  test('would contact a server without our options', async () => {
    const path = join(folder, 'script.m3u8');
    await writeFile(path, scripts()[0]![1]);
    await says(tools.ffmpeg.path, ['-f', 'hls', '-protocol_whitelist', 'file,http,tcp'], path);
    expect(contacts).toBeGreaterThan(0);
  });
});

describe('a movie whose track says that its data is in another file', () => {
  const secret = '/etc/passwd';
  let path: string;
  beforeAll(async () => {
    path = await spoiltClip('silent', join(folder, 'reference.mp4'), (bytes) => referTo(bytes, secret));
  });

  test.each(['ffprobe', 'ffmpeg'] as const)('does not make %s open it', async (name) => {
    const said = await says(tools[name].path, untrustedInput, path);
    expect(said).not.toMatch(new RegExp(`Opening '[^']*passwd`));
    await expect(probe(tools.ffprobe.path, path)).resolves.toHaveLength(1);
  });

  test.each(['ffprobe', 'ffmpeg'] as const)('would make %s open it without our options', async (name) => {
    const said = await says(tools[name].path, ['-f', 'mov', '-enable_drefs', '1', '-use_absolute_path', '1'], path);
    expect(said).toMatch(/passwd/);
  });
});

describe('a movie that is small by its headers and grows beyond 8K in the middle', () => {
  let path: string;
  beforeAll(async () => {
    path = await growingMovie();
  }, 60_000);
  /** What FFmpeg prints about each picture that it decodes. */
  const pictures = (options: readonly string[]): Promise<string> =>
    says(tools.ffmpeg.path, options, path, ['-vf', 'showinfo']);

  test('passes the check of its headers, and fails before a large picture is decoded', async () => {
    const { facts } = await createInspector({ ffprobe: tools.ffprobe.path })(path);
    expect(facts).toMatchObject({ width: 64, height: 48 });
    const said = await pictures(untrustedInput);
    expect(said).toMatch(/s:64x48/);
    expect(said).not.toMatch(/s:8192x4096/);
    await expect(transcode(path, outputs(), plan, { ffmpeg: tools.ffmpeg.path })).rejects.toMatchObject({
      name: 'FfmpegFailed',
    });
  }, 60_000);

  test('would be decoded without our options', async () => {
    expect(await pictures(['-f', 'mov'])).toMatch(/s:8192x4096/);
  }, 60_000);
});

test('a frame that is larger than the work budget leaves for each frame of the file is not decoded', async () => {
  const path = await clip('large');
  await transcode(path, outputs(), { ...plan, maxPixels: 2560 * 1440 }, { ffmpeg: tools.ffmpeg.path });
  await expect(
    transcode(path, outputs(), { ...plan, maxPixels: 2560 * 1440 - 1 }, { ffmpeg: tools.ffmpeg.path }),
  ).rejects.toMatchObject({ name: 'FfmpegFailed' });
}, 60_000);

test('a decoder that is not on the list is not used', async () => {
  await expect(says(tools.ffmpeg.path, untrustedInput, await clip('plain'))).resolves.toMatch(/frame=\s*25/);
  await expect(probe(tools.ffprobe.path, await renamedCodec())).rejects.toThrow(
    /not on whitelist|Invalid data|could not/i,
  );
});

/** The clip with its codec renamed to Cinepak, which FFmpeg could decode and nobody needs. */
function renamedCodec(): Promise<string> {
  return spoiltClip('silent', join(folder, 'cinepak.mp4'), (bytes) => {
    const renamed = Buffer.from(bytes);
    renamed.write('cvid', renamed.lastIndexOf('avc1'), 'latin1');
    return renamed;
  });
}

/** Two H.264 streams one after the other. The index has the size of the first one; the size of the second one is only in the stream. */
async function growingMovie(): Promise<string> {
  const ffmpeg = (...args: string[]): Promise<unknown> =>
    promisify(execFile)(tools.ffmpeg.path, ['-v', 'error', '-nostdin', '-y', ...args]);
  const streams: Buffer[] = [];
  for (const [size, frames] of [
    ['64x48', 10],
    ['8192x4096', 2],
  ] as const) {
    const stream = join(folder, `${size}.h264`);
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      `color=size=${size}:rate=25`,
      '-frames:v',
      String(frames),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv420p',
      stream,
    );
    streams.push(await readFile(stream));
  }
  const joined = join(folder, 'joined.h264');
  await writeFile(joined, Buffer.concat(streams));
  const movie = join(folder, 'growing.mp4');
  await ffmpeg('-framerate', '25', '-f', 'h264', '-i', joined, '-c', 'copy', movie);
  return movie;
}

/** Replaces the data reference of the first track by a Macintosh alias with an absolute path (QuickTime File Format, "dref"). */
function referTo(movie: Buffer, path: string): Buffer {
  const record = (type: number, text: string): Buffer => {
    const head = Buffer.alloc(4);
    head.writeInt16BE(type, 0);
    head.writeUInt16BE(text.length, 2);
    return Buffer.concat([head, Buffer.from(text.length % 2 === 0 ? text : `${text}\0`)]);
  };
  const fixed = Buffer.alloc(150);
  fixed.writeInt16BE(1, 10 + 28 + 12 + 64 + 16);
  fixed.writeInt16BE(1, 10 + 28 + 12 + 64 + 18);
  const body = Buffer.concat([Buffer.alloc(4), fixed, record(2, path), Buffer.from('ffff0000', 'hex')]);
  const alias = Buffer.concat([Buffer.alloc(4), Buffer.from('alis'), body]);
  alias.writeUInt32BE(alias.length, 0);

  const dref = movie.indexOf('dref') - 4;
  const old = { start: dref + 16, length: movie.readUInt32BE(dref + 16) };
  const changed = Buffer.concat([movie.subarray(0, old.start), alias, movie.subarray(old.start + old.length)]);
  // The index comes last in this clip, so only the boxes around the reference change their sizes.
  for (const box of ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref']) {
    const at = movie.lastIndexOf(box, dref + 4) - 4;
    changed.writeUInt32BE(changed.readUInt32BE(at) + alias.length - old.length, at);
  }
  return changed;
}
