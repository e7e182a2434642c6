import { join } from 'node:path';
import { runFfmpeg, type FfmpegOutput, type FfmpegRun } from '../ffmpeg/ffmpeg.ts';
import type { MediaFacts } from '../mediaFacts.ts';
import { readFragments } from './fragments.ts';
import { alignedKeyFrames, planLadder, type Rung } from './ladder.ts';
import { areAligned, type LadderPicture, type LadderTrack } from './playlists.ts';
import { runLimits, THREADS, TRANSCODE_TIMEOUT } from './runLimits.ts';
import { planStoryboard, storyboardFilter, type StoryboardPlan } from './storyboard.ts';
import type { TranscodeOptions } from './transcode.ts';

/** What is made of a video that can be played already. */
export interface ExtrasPlan {
  /** Lowest first. */
  readonly rungs: readonly Rung[];
  readonly hasSound: boolean;
  readonly storyboard: StoryboardPlan;
  readonly preview: { readonly width: number; readonly height: number; readonly from: number };
  /** Seconds. */
  readonly duration: number;
}

/** The files of a plan, in one folder. */
export interface Extras {
  readonly pictures: readonly LadderPicture[];
  readonly sound: LadderTrack | undefined;
  /** Names of files. */
  readonly storyboard: string;
  readonly preview: string;
}

/** Seconds of the preview. */
const PREVIEW_SECONDS = 3;
/** A preview begins with the picture that the thumbnail shows (`pictureOptions` in `transcode.ts`), if the video is long enough. */
const PREVIEW_FROM = 1;
const [STORYBOARD, PREVIEW, SOUND] = ['storyboard.jpg', 'preview.mp4', 'sound'];

export function planExtras(facts: MediaFacts, hasSound: boolean): ExtrasPlan {
  const rungs = planLadder(facts);
  const { width, height } = rungs[0]!;
  const from = facts.duration >= PREVIEW_FROM + PREVIEW_SECONDS ? PREVIEW_FROM : 0;
  return {
    rungs,
    hasSound,
    storyboard: planStoryboard(facts),
    preview: { width, height, from },
    duration: facts.duration,
  };
}

/** Bytes that the files of a plan take at most, if the highest rung takes `size` bytes. */
export function mostBytes({ rungs, duration }: ExtrasPlan, size: number): number {
  return rungs.reduce((sum, rung) => sum + mostBytesOf(rung, duration), 2 * size + MOST_OTHERS);
}

/** Bytes of sound, storyboard and preview. */
const MOST_OTHERS = 16 * 1024 * 1024;

/** A second more than the clip has, since the bit rate is kept on average only, and the index. */
function mostBytesOf({ maxRate }: Rung, duration: number): number {
  return Math.ceil(((duration + 2) * maxRate) / 8) + 1024 * 1024;
}

/**
 * Makes the ladder, the storyboard and the preview of a finished movie, in one run of FFmpeg that decodes each frame once.
 * The highest rung is a copy of the movie's picture. If the key frames of the movie are not where those of the other rungs
 * are, which is so for movies of earlier versions, FFmpeg runs once more and encodes that rung too.
 * @throws FfmpegFailed
 */
export async function makeExtras(
  input: string,
  folder: string,
  plan: ExtrasPlan,
  { ffmpeg, sandbox, signal, tracing, timeout = TRANSCODE_TIMEOUT }: Omit<TranscodeOptions, 'onProgress'>,
): Promise<Extras> {
  for (const highest of ['copied', 'encoded'] as const) {
    const run = extrasRun(input, folder, plan, highest, timeout);
    await runFfmpeg(ffmpeg, run, { signal, tracing, timeout, sandbox, background: true });
    const pictures: LadderPicture[] = [];
    for (const rung of plan.rungs) pictures.push({ rung, ...(await trackOf(folder, rung.name)) });
    if (!areAligned(pictures)) continue;
    const sound = plan.hasSound ? await trackOf(folder, SOUND!) : undefined;
    return { pictures, sound, storyboard: STORYBOARD!, preview: PREVIEW! };
  }
  throw new Error('FFmpeg did not put the key frames of all rungs at the same times');
}

async function trackOf(folder: string, name: string): Promise<LadderTrack> {
  const file = `${name}.mp4`;
  return { file, playlist: `${name}.m3u8`, content: await readFragments(join(folder, file)) };
}

export function extrasRun(
  input: string,
  folder: string,
  plan: ExtrasPlan,
  highest: 'copied' | 'encoded',
  timeout = TRANSCODE_TIMEOUT,
): FfmpegRun {
  const output = (name: string, options: readonly string[]): FfmpegOutput => ({ path: join(folder, name), options });
  const last = plan.rungs.length - 1;
  return {
    inputOptions: runLimits(timeout),
    input,
    outputs: [
      ...plan.rungs.map((rung, n) =>
        output(`${rung.name}.mp4`, n === last && highest === 'copied' ? copied('v') : encoded(rung, plan)),
      ),
      ...(plan.hasSound ? [output(`${SOUND}.mp4`, copied('a'))] : []),
      output(STORYBOARD!, storyboardOptions(plan)),
      output(PREVIEW!, previewOptions(plan)),
    ],
  };
}

/** A fragment for each key frame, and for two seconds of sound. `delay_moov`: the index tells by how much the track is early. */
const fragmented = (kind: 'v' | 'a'): string[] => [
  ...exactly,
  '-movflags',
  kind === 'v' ? '+frag_keyframe+delay_moov+default_base_moof' : '+delay_moov+default_base_moof',
  ...(kind === 'a' ? ['-frag_duration', '2000000'] : []),
  '-f',
  'mp4',
];

/** The same input gives the same bytes. */
const exactly = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags', '+bitexact'];

function copied(kind: 'v' | 'a'): string[] {
  return ['-map', `0:${kind}:0`, `-c:${kind}`, 'copy', ...fragmented(kind)];
}

function encoded(rung: Rung, { duration }: ExtrasPlan): string[] {
  return [
    ...picture(rung, []),
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-profile:v', 'high', '-threads', THREADS],
    ...['-maxrate', String(rung.maxRate), '-bufsize', String(2 * rung.maxRate)],
    ...alignedKeyFrames,
    ...['-fs', String(mostBytesOf(rung, duration))],
    ...fragmented('v'),
  ];
}

function previewOptions({ preview }: ExtrasPlan): string[] {
  return [
    ...['-ss', String(preview.from), '-t', String(PREVIEW_SECONDS)],
    ...picture(preview, ['fps=15']),
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '28', '-profile:v', 'high', '-threads', THREADS],
    ...['-maxrate', '400k', '-bufsize', '800k'],
    ...exactly,
    ...['-movflags', '+faststart', '-f', 'mp4'],
  ];
}

function storyboardOptions({ storyboard }: ExtrasPlan): string[] {
  return [
    ...['-map', '0:v:0', '-filter:v', storyboardFilter(storyboard)],
    ...['-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '5'],
    ...exactly,
    ...['-f', 'image2', '-update', '1'],
  ];
}

function picture({ width, height }: Pick<Rung, 'width' | 'height'>, before: readonly string[]): string[] {
  return [
    '-map',
    '0:v:0',
    '-filter:v',
    [...before, `scale=${width}:${height}`, 'setsar=1', 'format=yuv420p'].join(','),
  ];
}
