import { dirname } from 'node:path/posix';
import type { Logger } from 'pino';
import type { CommandContext } from '../../../core/commandContext.ts';
import { handleCommand } from '../../../core/commandHandler.ts';
import { DomainError } from '../../../core/errors.ts';
import type { EventStore } from '../../../core/eventStore.ts';
import { AttemptKilled } from '../../../jobs/attempts.ts';
import type { JobRun, QueueWorker, RecordedFailure } from '../../../jobs/queue.ts';
import { FfmpegFailed } from '../../../media/ffmpeg/ffmpeg.ts';
import { ProbeFailed } from '../../../media/inspecting/probe.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import type { ObserveMedia } from '../../../telemetry/jobMetrics.ts';
import { videoDecider, videoStream, type VideoState } from '../decider.ts';
import { readVideo } from '../readVideo.ts';
import { isExtra, removeObjects } from './mediaKeys.ts';
import type { MoveFiles } from './moveFiles.ts';
import { extrasQueue, type ExtrasJob } from './queues.ts';
import { storeExtras, type ExtrasOptions } from './storeExtras.ts';

export interface ExtrasWorkerOptions extends ExtrasOptions {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly moveFiles: MoveFiles;
  readonly logger: Logger;
  readonly observeMedia?: ObserveMedia | undefined;
}

/**
 * Makes the ladder, the storyboard and the preview of videos that can be played, one at a time. Every job is safe to repeat.
 * A video whose job fails stays as it is: it is played without them.
 */
export function createExtrasWorker(options: ExtrasWorkerOptions): Required<QueueWorker<ExtrasJob>> {
  const { store, objects, moveFiles, logger, observeMedia } = options;
  const load = async (videoId: string): Promise<VideoState> => (await readVideo(store, videoId)).state;
  const contextOf = (job: ExtrasJob): CommandContext => ({
    ...job,
    actor: 'media',
    idempotencyKey: `extras:${job.causationId ?? job.correlationId}`,
    now: new Date(),
  });

  /** Without the key of the job: the events of a command with that key would count as a repeat of `RecordExtras`. */
  const move = (job: ExtrasJob, signal: AbortSignal): Promise<void> =>
    moveFiles(job.videoId, { ...job, actor: 'media', now: new Date() }, signal);

  const make = async (job: ExtrasJob, { signal, confirmClaim }: JobRun): Promise<void> => {
    const video = await load(job.videoId);
    if (video.status !== 'ready' || hasAll(video)) {
      await tidy(objects, job.videoId, video);
      // An earlier attempt was cut after it had recorded its result.
      return move(job, signal);
    }
    const started = performance.now();
    const extras = await storeExtras(video, { ...options, signal });
    observeMedia?.(extrasQueue.name, video.facts.duration, (performance.now() - started) / 1_000);
    // Another worker that has the job by now may have removed the files of this one.
    await confirmClaim();
    const context = contextOf(job);
    // The files of the video may have been moved while this attempt made more of them. These follow before anybody is told of
    // them, who would find nothing at their addresses.
    const now = await load(job.videoId);
    const filesAccess = now.status === 'ready' ? now.filesAccess : video.filesAccess;
    if (filesAccess !== video.filesAccess) await move(job, signal);
    const command = { type: 'RecordExtras', ...extras, at: context.now.toISOString() } as const;
    const { state } = await handleCommand(store, videoDecider, videoStream(job.videoId), command, context);
    await tidy(objects, job.videoId, state);
    // They were moved in the meantime.
    if (state.status === 'ready' && state.filesAccess !== filesAccess) await move(job, signal);
  };

  const handle = async (job: ExtrasJob, run: JobRun): Promise<RecordedFailure | void> => {
    try {
      await make(job, run);
    } catch (error) {
      // Without what this attempt has stored, if the video was deleted meanwhile.
      const state = await load(job.videoId).catch(() => undefined);
      if (state?.status === 'deleted') return removeObjects(objects, job.videoId);
      const failure = failureOf(error);
      if (failure === undefined) throw error instanceof Error && wasKilled(error) ? new AttemptKilled(error) : error;
      logger.warn({ videoId: job.videoId, err: error }, failure);
      return { failed: failure };
    }
  };

  return {
    queue: extrasQueue,
    concurrency: 1,
    handle,
    giveUp: async ({ videoId }, { cause }) => {
      await tidy(objects, videoId, await load(videoId));
      logger.warn({ videoId, err: cause }, 'a video stays without ladder, storyboard and preview');
    },
  };
}

/** Another attempt would end the same way: it is the movie that cannot be used. */
function failureOf(error: unknown): string | undefined {
  if (error instanceof DomainError) return `The movie of the video cannot be used: ${error.message}`;
  if (!(error instanceof FfmpegFailed) || error.ourFault) return undefined;
  return `The ladder of the video cannot be made: ${error.message}.`;
}

function wasKilled(error: Error): boolean {
  return (error instanceof FfmpegFailed || error instanceof ProbeFailed) && error.killed;
}

function hasAll({ extras }: Extract<VideoState, { readonly id: string }>): boolean {
  return extras?.hls !== undefined && extras.storyboard !== undefined && extras.preview !== undefined;
}

/** Keeps the objects that the video's state names, and removes the others that this worker has made. */
async function tidy(objects: ObjectStore, videoId: string, state: VideoState): Promise<void> {
  if (state.status === 'none') return;
  if (state.status === 'deleted') return removeObjects(objects, videoId);
  const { hls, storyboard, pictures, preview } = state.extras ?? {};
  const ladder = hls && { key: `${dirname(hls.master.key)}/` };
  await removeObjects(objects, videoId, [ladder, storyboard, pictures, preview], isExtra);
}
