import { join } from 'node:path';
import { allOrThrow } from '../../../core/allOrThrow.ts';
import { DomainError } from '../../../core/errors.ts';
import { contentTypeOf } from '../../../objectStore/contentType.ts';
import { ObjectNotFound, type ObjectStore } from '../../../objectStore/objectStore.ts';
import type { ExistingVideo } from '../decider.ts';
import type { MediaFacts } from '../../../media/mediaFacts.ts';
import type { MediaObject } from '../events.ts';
import { AttemptKilled } from '../../../jobs/attempts.ts';
import { ensureRoom, type FreeSpace } from '../../../media/scratch/diskSpace.ts';
import { FfmpegFailed } from '../../../media/ffmpeg/ffmpeg.ts';
import type { Inspect, InspectedVideo } from '../../../media/inspecting/inspect.ts';
import { hashFile, type HashedFile } from '../../../media/hashFile.ts';
import { renditionLimits } from '../../../media/limits.ts';
import { renditionKey } from './mediaKeys.ts';
import { ProbeFailed } from '../../../media/inspecting/probe.ts';
import type { UploadProgress } from '../../../realtime/uploadProgress.ts';
import { planRendition, type RenditionPlan } from '../../../media/transcoding/rendition.ts';
import type { Sandbox } from '../../../media/ffmpeg/sandbox.ts';
import type { Tracing } from '../../../telemetry/tracing.ts';
import type { Scratch } from '../../../media/scratch/scratch.ts';
import { MOST_OUTPUT, transcode } from '../../../media/transcoding/transcode.ts';

export interface RenderOptions {
  readonly objects: ObjectStore;
  readonly scratch: Scratch;
  readonly inspect: Inspect;
  /** Path of the program. */
  readonly ffmpeg: string;
  /** By default it only limits resources and empties the environment. */
  readonly sandbox?: Sandbox;
  readonly tracing?: Tracing;
  /** Milliseconds for one transcode. */
  readonly timeout?: number;
  /** Asks the system by default. */
  readonly freeSpace?: FreeSpace;
}

export interface Rendition {
  readonly video: MediaObject;
  readonly thumbnail: MediaObject;
  readonly facts: MediaFacts;
}

/** The file is at fault: another attempt would end the same way. The message is for the uploader. */
export class CannotBeProcessed extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CannotBeProcessed';
  }
}

/** Seconds that a rendition may be shorter than the upload's picture. If more is missing, the upload is damaged. */
const MOST_LOST = 0.5;

/**
 * Fetches a video's original, makes the file that is played and its thumbnail, and stores both.
 * @throws CannotBeProcessed when the file is at fault; AttemptKilled when FFmpeg or ffprobe was killed; other errors when
 * another attempt may succeed
 */
export async function makeRendition(
  video: ExistingVideo,
  options: RenderOptions & {
    readonly signal: AbortSignal;
    readonly report: (stage: UploadProgress['stage'], share?: number) => void;
  },
): Promise<Rendition> {
  const { objects, scratch, ffmpeg, sandbox, tracing, timeout, signal, report } = options;
  await using folder = await scratch.make();
  const [original, movie, picture] = ['original.mp4', 'video.mp4', 'thumbnail.jpg'].map((name) =>
    join(folder.path, name),
  ) as [string, string, string];
  try {
    report('transcoding');
    await ensureRoom(folder.path, video.original.size + MOST_OUTPUT, options.freeSpace);
    await objects.getFile(video.original.key, original, signal);
    const { sha256 } = await hashFile(original, signal);
    const found = await options.inspect(original, { signal, ownerId: video.ownerId, sha256 });
    const plan = planRendition(found.video, found.audio);
    await transcode(original, { movie, picture }, plan, {
      ffmpeg,
      sandbox,
      tracing,
      signal,
      timeout,
      onProgress: (share) => report('transcoding', share),
    });
    report('thumbnail');
    const [made, movieHash, pictureHash] = await allOrThrow([
      options.inspect(movie, { signal, ownerId: video.ownerId, limits: renditionLimits }),
      hashFile(movie, signal),
      hashFile(picture, signal),
    ]);
    checkComplete(plan, made);
    report('publishing');
    const [stored, thumbnail] = await allOrThrow([
      store(objects, renditionKey(video.filesAccess, video.id, movieHash.sha256, 'mp4'), movie, movieHash, signal),
      store(
        objects,
        renditionKey(video.filesAccess, video.id, pictureHash.sha256, 'jpg'),
        picture,
        pictureHash,
        signal,
      ),
    ]);
    return { video: stored, thumbnail, facts: made.facts };
  } catch (error) {
    throw explain(error);
  }
}

function checkComplete({ duration }: RenditionPlan, { facts }: InspectedVideo): void {
  if (facts.duration < duration - MOST_LOST && facts.duration < duration * 0.9) {
    throw new CannotBeProcessed('The video is damaged: only a part of it can be decoded.');
  }
}

async function store(
  objects: ObjectStore,
  key: string,
  path: string,
  { size }: HashedFile,
  signal: AbortSignal,
): Promise<MediaObject> {
  await objects.putFile(key, path, contentTypeOf(key), signal);
  return { key, size };
}

function explain(error: unknown): unknown {
  if (error instanceof DomainError) return new CannotBeProcessed(error.message, { cause: error });
  if (error instanceof ObjectNotFound)
    return new CannotBeProcessed('The uploaded file is lost. Please upload it again.', { cause: error });
  if ((error instanceof FfmpegFailed || error instanceof ProbeFailed) && error.killed) return new AttemptKilled(error);
  if (!(error instanceof FfmpegFailed) || error.ourFault) return error;
  if (error.reason === 'timeout')
    return new CannotBeProcessed('The video takes too long to process. Export it at a lower resolution.', {
      cause: error,
    });
  if (error.reason === 'memory')
    return new CannotBeProcessed('The video takes too much memory to process. Export it at a lower resolution.', {
      cause: error,
    });
  return new CannotBeProcessed('The video cannot be decoded: it is damaged.', { cause: error });
}
