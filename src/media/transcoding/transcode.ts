import { availableParallelism } from 'node:os';
import { runFfmpeg } from '../ffmpeg/ffmpeg.ts';
import { memoryLimit, untrustedInput } from '../ffmpeg/untrustedInput.ts';
import { uploadLimits } from '../limits.ts';
import type { RenditionPlan } from './rendition.ts';
import type { Sandbox } from '../ffmpeg/sandbox.ts';

export interface TranscodeOptions {
  readonly ffmpeg: string;
  readonly sandbox?: Sandbox;
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole transcode; 10 minutes by default. */
  readonly timeout?: number;
  /** Is told the share that is done, 0 to 1. It only rises. */
  readonly onProgress?: (share: number) => void;
}

const TIMEOUT = 10 * 60_000;
const THREADS = String(Math.min(4, availableParallelism()));
/** Bytes: far more than a minute takes at the bit rate below. */
export const MOST_OUTPUT = 64 * 1024 * 1024;

/** The share of frames that may fail to decode. A few wrong bits are acceptable; with more, the file is damaged. */
const MOST_ERRORS = '0.02';

/**
 * Makes the file that is played: H.264 and AAC in an MP4 whose index comes first. Of the upload it has only picture and
 * sound, no GPS position and no device name. @throws FfmpegFailed
 */
export async function transcode(
  input: string,
  output: string,
  plan: RenditionPlan,
  options: TranscodeOptions,
): Promise<void> {
  const { ffmpeg, sandbox, signal, timeout = TIMEOUT, onProgress } = options;
  const seconds = uploadLimits.maxSeconds + uploadLimits.secondsTolerance;
  let reported = 0;
  const onTime = (time: number): void => {
    const share = Math.min(1, time / Math.max(plan.duration, 0.01));
    if (share > reported) onProgress?.((reported = share));
  };
  // The frame rate comes first: dropped frames need no scaling.
  const filters = [
    ...(plan.frameRate === undefined ? [] : [`fps=${plan.frameRate}`]),
    `scale=${plan.width}:${plan.height}`,
    'setsar=1',
    'format=yuv420p',
  ];
  await runFfmpeg(
    ffmpeg,
    {
      // CPU seconds. This limit stops FFmpeg when our process was killed and cannot.
      inputOptions: [
        '-timelimit',
        String(Math.ceil(timeout / 1000) * Number(THREADS)),
        ...memoryLimit,
        ...untrustedInput,
        '-max_pixels',
        String(plan.maxPixels),
        '-threads',
        THREADS,
        '-filter_threads',
        THREADS,
      ],
      input,
      outputOptions: [
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
        '6M',
        '-bufsize',
        '12M',
        '-profile:v',
        'high',
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
        String(seconds),
        '-fs',
        String(MOST_OUTPUT),
        '-max_muxing_queue_size',
        '4096',
        '-max_error_rate',
        MOST_ERRORS,
        '-movflags',
        '+faststart',
        '-f',
        'mp4',
      ],
      output,
    },
    { signal, timeout, onTime, sandbox },
  );
}

/** Makes a JPEG of an early moment of the rendition, at most 640 pixels wide. @throws FfmpegFailed */
export async function makeThumbnail(
  rendition: string,
  output: string,
  plan: RenditionPlan,
  { ffmpeg, sandbox, signal }: TranscodeOptions,
): Promise<void> {
  const at = plan.duration > 2 ? 1 : 0;
  await runFfmpeg(
    ffmpeg,
    {
      inputOptions: ['-filter_threads', THREADS, ...untrustedInput, '-threads', THREADS, '-ss', String(at)],
      input: rendition,
      outputOptions: [
        '-frames:v',
        '1',
        '-an',
        '-filter:v',
        "scale='min(640,iw)':-2",
        '-q:v',
        '3',
        '-c:v',
        'mjpeg',
        '-f',
        'image2',
        '-update',
        '1',
      ],
      output,
    },
    { signal, timeout: 60_000, sandbox },
  );
}
