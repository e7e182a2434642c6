import { LRUCache } from 'lru-cache';
import { abortable } from '../../core/abortable.ts';
import { DomainError } from '../../core/errors.ts';
import { createFairTurns } from '../../core/fairTurns.ts';
import { audioCodecs, videoCodecs } from './codecs.ts';
import { checkContainer, checkTracks, tooManyStreams } from './containerCheck.ts';
import { factsOf } from './factsOf.ts';
import { readBoxLayout } from './isoBaseMedia.ts';
import { uploadLimits, type UploadLimits } from '../limits.ts';
import type { MediaFacts } from '../mediaFacts.ts';
import { probe, Unreadable, type ProbedStream } from './probe.ts';
import type { Sandbox } from '../ffmpeg/sandbox.ts';
import type { Tracing } from '../../telemetry/tracing.ts';

export interface InspectedVideo {
  readonly facts: MediaFacts;
  readonly video: ProbedStream;
  readonly audio: ProbedStream | undefined;
}

export interface InspectOptions {
  readonly signal?: AbortSignal | undefined;
  /** The inspector's by default. */
  readonly limits?: UploadLimits;
  /** The owner of the file. When several files wait, their owners take turns. Files without an owner share one turn. */
  readonly ownerId?: string;
  /**
   * SHA-256 of the file's bytes, which the caller has read (hex). A file that this process has accepted before is not
   * inspected again.
   */
  readonly sha256?: string;
}

export type Inspect = (path: string, options?: InspectOptions) => Promise<InspectedVideo>;

export interface InspectorOptions {
  /** Path of the program. */
  readonly ffprobe: string;
  readonly limits?: UploadLimits;
  /** Milliseconds for one run of ffprobe; 30 000 by default. */
  readonly timeout?: number;
  readonly sandbox?: Sandbox;
  readonly tracing?: Tracing;
}

/** Accepted files whose findings are kept, about 1 kB each. */
const MOST_REMEMBERED = 1_000;
/** Files that one process inspects at a time. Each may take as much memory as ffprobe may use. */
const MOST_AT_A_TIME = 2;

/**
 * Inspects the content of uploads, two at a time. When more wait, their owners take turns: a user with many slow files
 * delays the others by one of them. What was found in an accepted file is remembered by the hash of its bytes. @throws DomainError that tells the uploader why the file is refused; `ProbeFailed` when
 * the fault is ours; the signal's reason, also while the file waits
 */
export function createInspector({
  ffprobe,
  limits: usualLimits = uploadLimits,
  timeout,
  sandbox,
  tracing,
}: InspectorOptions): Inspect {
  const turns = createFairTurns(MOST_AT_A_TIME);
  const accepted = new LRUCache<string, InspectedVideo>({ max: MOST_REMEMBERED });
  const inspect = async (
    path: string,
    signal: AbortSignal | undefined,
    limits: UploadLimits,
  ): Promise<InspectedVideo> => {
    signal?.throwIfAborted();
    checkContainer(await readBoxLayout(path), limits);
    const streams = await probe(ffprobe, path, { signal, timeout, sandbox, tracing }).catch((error: unknown) => {
      throw error instanceof Unreadable ? explain(error) : error;
    });
    return judge(streams, limits);
  };
  return async (path, { signal, limits = usualLimits, ownerId = '', sha256 } = {}) => {
    const isKnown = sha256 !== undefined && limits === usualLimits;
    const known = isKnown ? accepted.get(sha256) : undefined;
    if (known !== undefined) return known;
    const found = await abortable(
      turns(ownerId, () => inspect(path, signal, limits)),
      signal,
    );
    if (isKnown) accepted.set(sha256, found);
    return found;
  };
}

function explain(error: Unreadable): DomainError {
  const codec = /Codec \((\w+)\) not on whitelist/.exec(error.message)?.[1];
  if (codec !== undefined)
    return refuse(
      'codec_not_supported',
      `The codec "${codec}" is not supported. Export the video as H.264 with AAC sound.`,
      error,
    );
  if (/exceeds max_streams/.test(error.message))
    return tooManyStreams('too many tracks', uploadLimits.maxStreams, error);
  if (error.tooMuch)
    return refuse(
      'video_too_complex',
      'The video is too complex to read. Export it again, with fewer tracks and frames.',
      error,
    );
  return refuse('damaged_video', 'The video is damaged: it cannot be read. Export it again.', error);
}

/** Checks the rules for the content of a file. */
function judge(streams: readonly ProbedStream[], limits: UploadLimits): InspectedVideo {
  const pictures = streams.filter(({ kind, still }) => kind === 'video' && !still);
  checkTracks({ all: streams.length, video: pictures.length, complete: true }, limits);
  const [video] = pictures;
  const audio = streams.find(({ kind, packets }) => kind === 'audio' && packets > 0);
  if (video === undefined) {
    throw new DomainError(
      'unsupportedMedia',
      'no_picture',
      audio === undefined ? 'The file has no video in it.' : 'The file has sound only, no picture.',
    );
  }
  checkCodecs(video, audio);
  if (video.packets === 0 || video.width === 0 || video.height === 0)
    throw refuse('damaged_video', 'The video is damaged: it has no pictures in it.');
  if (video.damaged > 0 || (audio?.damaged ?? 0) > 0)
    throw refuse('damaged_video', 'The video is cut off or damaged: parts of it are missing.');
  checkSize(video, limits);
  checkLength(video, streams, limits);
  checkWork(video, limits);
  return { facts: factsOf(video), video, audio };
}

function checkCodecs(video: ProbedStream, audio: ProbedStream | undefined): void {
  if (video.tag === 'encv' || audio?.tag === 'enca')
    throw refuse('encrypted_video', 'The video is encrypted (DRM) and cannot be played.');
  if (!videoCodecs.has(video.codec))
    throw refuse('codec_not_supported', `The video codec "${video.codec}" is not supported. Export it as H.264.`);
  if (audio !== undefined && !audioCodecs.has(audio.codec)) {
    throw refuse('codec_not_supported', `The audio codec "${audio.codec}" is not supported. Export it as AAC.`);
  }
}

function checkSize(video: ProbedStream, { minSide, maxSide, maxPixels, maxAspect, maxFrameRate }: UploadLimits): void {
  const { width, height, duration } = factsOf(video);
  const [short, long] = [
    Math.min(width, height, video.width, video.height),
    Math.max(width, height, video.width, video.height),
  ];
  if (short < minSide || long > maxSide || width * height > maxPixels) {
    throw refuse(
      'dimensions_not_supported',
      `The picture is ${width} × ${height} pixels; between ${minSide} × ${minSide} and ${maxSide} × ${maxPixels / maxSide} are supported.`,
    );
  }
  if (Math.max(width, height) > Math.min(width, height) * maxAspect) {
    throw refuse(
      'dimensions_not_supported',
      `The picture is ${width} × ${height} pixels, a mere strip; its long side may be at most ${maxAspect} times its short one.`,
    );
  }
  if (video.packets > 10 && video.packets > (duration + 0.5) * maxFrameRate) {
    throw refuse('frame_rate_not_supported', `The video has more than ${maxFrameRate} frames a second.`);
  }
}

function checkLength(video: ProbedStream, streams: readonly ProbedStream[], limits: UploadLimits): void {
  const whole =
    Math.max(...streams.filter(({ kind, still }) => kind !== 'other' && !still).map(({ end }) => end)) -
    Math.min(0, video.start);
  if (video.end - video.start > limits.maxSeconds + limits.secondsTolerance || whole > limits.maxSecondsOfFile) {
    const seconds = Math.max(video.end - video.start, whole).toFixed(1);
    throw refuse(
      'video_too_long',
      `The video is ${seconds} seconds long; at most ${limits.maxSeconds} seconds are allowed.`,
    );
  }
}

/** Without this limit, the others would allow a minute of 8K at 240 frames a second, and everybody else would wait for it. */
function checkWork({ width, height, decoded }: ProbedStream, { maxWork }: UploadLimits): void {
  if (width * height * decoded <= maxWork) return;
  const most = Math.floor(maxWork / (width * height));
  throw refuse(
    'video_too_much_work',
    `The video has ${decoded} frames of ${width} × ${height} pixels; at that size at most ${most} frames are allowed. Make it shorter, or export it at a smaller size or with fewer frames a second.`,
  );
}

function refuse(code: string, message: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', code, message, { cause });
}
