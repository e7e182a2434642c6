import { runFfmpeg, type FfmpegRun } from '../ffmpeg/ffmpeg.ts';
import { uploadLimits } from '../limits.ts';
import { alignedKeyFrames, MOST_RATE } from './ladder.ts';
import { pictureSize, type RenditionPlan } from './rendition.ts';
import { runLimits, THREADS, TRANSCODE_TIMEOUT } from './runLimits.ts';
import type { Sandbox } from '../ffmpeg/sandbox.ts';
import type { Tracing } from '../../telemetry/tracing.ts';

export interface TranscodeOptions {
  readonly ffmpeg: string;
  readonly sandbox?: Sandbox;
  readonly signal?: AbortSignal;
  readonly tracing?: Tracing | undefined;
  /** Milliseconds for the whole transcode; 10 minutes by default. */
  readonly timeout?: number;
  /** Is told the share that is done, 0 to 1. It only rises. */
  readonly onProgress?: (share: number) => void;
}

/** Bytes: far more than a minute takes at the bit rate below. */
export const MOST_OUTPUT = 64 * 1024 * 1024;

/** The files that a transcode makes. */
export interface RenditionFiles {
  /** What is played. */
  readonly movie: string;
  /** A JPEG, as the still picture of the movie. */
  readonly picture: string;
}

/**
 * Makes the file that is played, H.264 and AAC in an MP4 whose index comes first, and a JPEG of an early moment, at most
 * 640 pixels wide. Of the upload they have only picture and sound, no GPS position and no device name. @throws FfmpegFailed
 */
export async function transcode(
  input: string,
  files: RenditionFiles,
  plan: RenditionPlan,
  { ffmpeg, sandbox, signal, tracing, timeout = TRANSCODE_TIMEOUT, onProgress }: TranscodeOptions,
): Promise<void> {
  let reported = 0;
  const onTime = (time: number): void => {
    const share = Math.min(1, time / Math.max(plan.duration, 0.01));
    if (share > reported) onProgress?.((reported = share));
  };
  await runFfmpeg(ffmpeg, renditionRun(input, files, plan, timeout), { signal, tracing, timeout, onTime, sandbox });
}

/** One run of FFmpeg that makes both files: each frame of the upload is decoded once. */
export function renditionRun(
  input: string,
  { movie, picture }: RenditionFiles,
  plan: RenditionPlan,
  timeout = TRANSCODE_TIMEOUT,
): FfmpegRun {
  return {
    inputOptions: [...runLimits(timeout), '-max_pixels', String(plan.maxPixels)],
    input,
    mostErrors: plan.mostErrors,
    outputs: [
      { path: movie, options: movieOptions(plan) },
      { path: picture, options: pictureOptions(plan) },
    ],
  };
}

function movieOptions(plan: RenditionPlan): string[] {
  // The frame rate comes first: dropped frames need no scaling.
  const filters = [
    ...(plan.frameRate === undefined ? [] : [`fps=${plan.frameRate}`]),
    `scale=${plan.width}:${plan.height}`,
    'setsar=1',
    'format=yuv420p',
  ];
  return [
    '-map',
    `0:${plan.videoStream}`,
    ...(plan.audioStream === undefined ? [] : ['-map', `0:${plan.audioStream}`]),
    '-map_metadata',
    '-1',
    '-map_chapters',
    '-1',
    '-fflags',
    '+bitexact',
    '-flags',
    '+bitexact',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '23',
    '-maxrate',
    String(MOST_RATE),
    '-bufsize',
    String(2 * MOST_RATE),
    '-profile:v',
    'high',
    ...alignedKeyFrames,
    '-threads',
    THREADS,
    '-filter:v',
    filters.join(','),
    '-c:a',
    'aac',
    '-b:a',
    '128k',
    '-ac',
    '2',
    '-ar',
    '48000',
    '-t',
    String(uploadLimits.maxSeconds + uploadLimits.secondsTolerance),
    '-fs',
    String(MOST_OUTPUT),
    '-max_muxing_queue_size',
    '4096',
    '-movflags',
    '+faststart',
    '-f',
    'mp4',
  ];
}

/** Seconds, longer than any clip. */
const PICTURE_INTERVAL = 100;

/**
 * The picture of second 1, or the first one of a clip of two seconds or less. FFmpeg writes the first picture in any case,
 * and later replaces it: a clip may have no picture at second 1 or after it.
 */
function pictureOptions(plan: RenditionPlan): string[] {
  const { width, height } = pictureSize(plan);
  const at = plan.duration > 2 ? 1 : 0;
  const filters = [
    'setpts=PTS-STARTPTS',
    `select=eq(selected_n\\,0)+lt(prev_selected_t\\,${at})*gte(t\\,${at})`,
    // The second picture is the next one at the rate below. With their own times, FFmpeg would repeat the first to fill the
    // gap; at a higher rate, FFmpeg 8 would repeat it until its own duration has passed, which is at most that of the clip.
    `settb=${PICTURE_INTERVAL}`,
    'setpts=N',
    `scale=${width}:${height}`,
    'setsar=1',
    'format=yuv420p',
  ];
  return [
    '-map',
    `0:${plan.videoStream}`,
    '-filter:v',
    filters.join(','),
    '-r',
    `1/${PICTURE_INTERVAL}`,
    '-frames:v',
    '2',
    '-q:v',
    '3',
    '-c:v',
    'mjpeg',
    '-f',
    'image2',
    '-update',
    '1',
  ];
}
