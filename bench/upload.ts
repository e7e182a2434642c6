import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createInspector } from '../src/media/inspecting/inspect.ts';
import { probe } from '../src/media/inspecting/probe.ts';
import { pictureSize, planRendition, type RenditionPlan } from '../src/media/transcoding/rendition.ts';
import { renditionRun } from '../src/media/transcoding/transcode.ts';
import { clip, testTools, type ClipName } from '../tests/support/clips.ts';
import { startSystem, type System } from '../tests/support/system.ts';
import { newPeople, upload as send, type Person, type Video } from '../tests/support/systemClient.ts';
import { untilAllIsMade } from './allIsMade.ts';
import { inTurns, percentile, type Benchmark } from './benchmark.ts';

const ROUNDS = 7;
const AT_ONCE = 12;
/** Clips that are uploaded one after the other, for each time that twelve are uploaded at once. */
const ALONE = 6;

/**
 * The time of a whole upload, from the first byte to the answer 201, beside one FFmpeg with the very arguments that the
 * server uses. And what twelve uploads at once cost beside twelve of them one after the other. No two uploads have the same
 * bytes, so that nothing is remembered from an earlier one.
 */
export const upload: Benchmark = {
  name: 'upload',
  async run() {
    const folder = await mkdtemp(join(tmpdir(), 'reelstream-bench-'));
    try {
      await using system = await startSystem({ environment: { LOG_LEVEL: 'warn' } });
      const people = await newPeople(AT_ONCE, system.api);
      const uploads = createUploads(system, folder);
      await uploads.one('plain', people[0]!); // warm
      const ffmpeg = await bareFfmpeg('hd', folder);
      const long = await inTurns(ROUNDS, () => uploads.one('hd', people[0]!), ffmpeg);
      const many = await inTurns(
        3,
        () => uploads.together('plain', people),
        async () => AT_ONCE * (await uploads.alone('plain', people[0]!)),
      );
      return [
        {
          what: 'upload of a 10 s clip in 720p, whole answer',
          ours: long.ours,
          theirs: long.theirs,
          peer: 'FFmpeg alone, the same arguments',
          unit: 'ms',
          atMost: 1.08,
          chart: 'upload of a 10 s clip, 720p',
        },
        {
          what: `${AT_ONCE} clips of 1 s uploaded at once`,
          ours: many.ours,
          theirs: many.theirs,
          peer: `${AT_ONCE} × one alone`,
          unit: 'ms',
          atMost: 1.1,
        },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Uploads {
  /** Milliseconds until the answer. The result is checked afterwards. */
  one(name: ClipName, person: Person): Promise<number>;
  /** The median of a few uploads, one after the other. */
  alone(name: ClipName, person: Person): Promise<number>;
  /** Milliseconds until all of them have their answers. */
  together(name: ClipName, people: readonly Person[]): Promise<number>;
}

function createUploads(system: System, folder: string): Uploads {
  let files = 0;
  /** A copy with a last box that players skip (ISO/IEC 14496-12, 8.1.2), and that differs from copy to copy. */
  const copyOf = async (name: ClipName): Promise<string> => {
    const path = join(folder, `${++files}.mp4`);
    const box = Buffer.concat([Buffer.from('\0\0\0\x18free'), randomBytes(16)]);
    await writeFile(path, Buffer.concat([await readFile(await clip(name)), box]));
    return path;
  };
  const timed = async (name: ClipName, people: readonly Person[]): Promise<number> => {
    const paths = await Promise.all(people.map(() => copyOf(name)));
    const begun = performance.now();
    const answers = await Promise.all(people.map(({ token }, n) => send(system.api(), token, paths[n]!)));
    const took = performance.now() - begun;
    const plan = await planOf(await clip(name));
    for (const { status, text, data } of answers) {
      if (status !== 201) throw new Error(`an upload answered ${status}: ${text}`);
      await checkResult(data, plan, folder);
    }
    await untilAllIsMade(
      system.api(),
      answers.map(({ data }) => data.id),
    );
    return took;
  };
  return {
    one: (name, person) => timed(name, [person]),
    alone: async (name, person) => {
      const times: number[] = [];
      while (times.length < ALONE) times.push(await timed(name, [person]));
      return percentile(times, 0.5);
    },
    together: timed,
  };
}

async function planOf(path: string): Promise<RenditionPlan> {
  const { video, audio } = await createInspector({ ffprobe: (await testTools()).ffprobe.path })(path);
  return planRendition(video, audio);
}

/** Returns what runs FFmpeg once, with the arguments of the server's transcode, and measures the time (ms). */
async function bareFfmpeg(name: ClipName, folder: string): Promise<() => Promise<number>> {
  const files = { movie: join(folder, 'bare.mp4'), picture: join(folder, 'bare.jpg') };
  const path = await clip(name);
  const { inputOptions, input, outputs } = renditionRun(path, files, await planOf(path));
  const args = [
    ...['-hide_banner', '-nostdin', '-nostats', '-y', ...inputOptions, '-i', input],
    ...outputs.flatMap(({ options, path: output }) => [...options, output]),
  ];
  const { ffmpeg } = await testTools();
  return async () => {
    const begun = performance.now();
    await promisify(execFile)(ffmpeg.path, args);
    return performance.now() - begun;
  };
}

/** @throws when the video cannot be played to its end, or the thumbnail is no JPEG of the right size. */
async function checkResult(video: Video, plan: RenditionPlan, folder: string): Promise<void> {
  const path = join(folder, 'result');
  await writeFile(path, await fetched(video.url));
  const [picture] = await probe((await testTools()).ffprobe.path, path);
  const size = [picture?.codec, picture?.width, picture?.height];
  if (String(size) !== String(['h264', plan.width, plan.height]) || Math.abs(picture!.end - plan.duration) > 0.1)
    throw new Error(`the video is ${size.join(', ')} and ${picture?.end} s long`);
  const found = jpegSize(await fetched(video.thumbnailUrl));
  const { width, height } = pictureSize(plan);
  if (found.width !== width || found.height !== height)
    throw new Error(`the thumbnail is ${found.width} × ${found.height}, not ${width} × ${height}`);
}

async function fetched(url: string | null): Promise<Buffer> {
  const response = await fetch(url!);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Reads the frame header (ITU-T T.81, B.2.2). @throws when it is no JPEG */
function jpegSize(file: Buffer): { width: number; height: number } {
  if (file.readUInt16BE(0) !== 0xffd8) throw new Error('the thumbnail is no JPEG');
  for (let at = 2; at < file.length; at += 2 + file.readUInt16BE(at + 2)) {
    const isFrame = [0xffc0, 0xffc1, 0xffc2].includes(file.readUInt16BE(at));
    if (isFrame) return { height: file.readUInt16BE(at + 5), width: file.readUInt16BE(at + 7) };
  }
  throw new Error('the thumbnail has no picture');
}
