import type { Logger } from 'pino';
import type { CommandContext } from '../../../core/commandContext.ts';
import { handleCommand } from '../../../core/commandHandler.ts';
import type { EventStore } from '../../../core/eventStore.ts';
import type { JobRun, QueueWorker, RecordedFailure } from '../../../jobs/queue.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import type { ReportUploadProgress, UploadProgress } from '../../../realtime/uploadProgress.ts';
import type { ObserveMedia } from '../../../telemetry/jobMetrics.ts';
import { videoDecider, videoStream, type VideoCommand, type VideoState } from '../decider.ts';
import { readVideo } from '../readVideo.ts';
import { CannotBeProcessed, makeRendition, type RenderOptions } from './makeRendition.ts';
import { isExtra, removeObjects } from './mediaKeys.ts';
import type { MoveFiles } from './moveFiles.ts';
import { processQueue, type VideoJob } from './queues.ts';
import { progressOf } from './stages.ts';

export interface ProcessWorkerOptions extends Omit<RenderOptions, 'objects'> {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly objects: ObjectStore;
  readonly moveFiles: MoveFiles;
  readonly reportProgress: ReportUploadProgress;
  readonly logger: Logger;
  readonly observeMedia?: ObserveMedia | undefined;
  /** Videos that this process works on at a time; 1 by default. */
  readonly concurrency?: number;
}

const GAVE_UP =
  'The video could not be processed because of a fault on our side. The uploaded file is kept: retry the processing later.';
const KILLED =
  'Processing was stopped several times because of a fault on our side. The uploaded file is kept: retry the processing later.';

/**
 * Makes uploads playable. Every job is safe to repeat: results are named by their bytes, events by the job, and the attempt
 * that succeeds removes what earlier ones left in the object store.
 */
export function createProcessWorker(options: ProcessWorkerOptions): Required<QueueWorker<VideoJob>> {
  const { store, objects, moveFiles, reportProgress, logger, observeMedia, concurrency = 1 } = options;
  const load = async (videoId: string): Promise<VideoState> => (await readVideo(store, videoId)).state;

  const decide = async (job: VideoJob, step: string, command: VideoCommand): Promise<VideoState> => {
    const context: CommandContext = {
      ...job,
      actor: 'media',
      idempotencyKey: `${step}:${job.causationId}`,
      now: new Date(),
    };
    return (await handleCommand(store, videoDecider, videoStream(job.videoId), command, context)).state;
  };

  const fail = async (job: VideoJob, reason: string): Promise<void> =>
    tidy(
      objects,
      job.videoId,
      await decide(job, 'failed', { type: 'RecordProcessingFailure', reason, at: new Date().toISOString() }),
    );

  const handle = async (job: VideoJob, { signal, confirmClaim }: JobRun): Promise<RecordedFailure | void> => {
    const video = await load(job.videoId);
    if (video.status === 'none') throw new Error(`video ${job.videoId} has a job and no events`);
    if (video.status !== 'processing') {
      await tidy(objects, job.videoId, video);
      // An earlier attempt was cut after it had recorded its result.
      return moveFiles(job.videoId, { ...job, actor: 'media', now: new Date() }, signal);
    }
    const report = (stage: UploadProgress['stage'], share?: number): void =>
      reportProgress({ userId: video.ownerId, videoId: video.id, stage, progress: progressOf(stage, share) });
    const started = performance.now();
    try {
      const rendition = await makeRendition(video, { ...options, signal, report });
      const state = await decide(job, 'processed', {
        type: 'RecordVideoProcessed',
        ...rendition,
        at: new Date().toISOString(),
      });
      report('ready');
      observeMedia?.(processQueue.name, video.facts.duration, (performance.now() - started) / 1_000);
      await tidy(objects, job.videoId, state);
      // The files of the video were moved while this attempt made more of them.
      if (state.status === 'ready' && state.filesAccess !== video.filesAccess)
        await moveFiles(job.videoId, { ...job, actor: 'media', now: new Date() }, signal);
    } catch (error) {
      const isDeleted = await load(job.videoId).then(
        ({ status }) => status === 'deleted',
        () => false,
      );
      // This attempt may have stored something after the deletion removed the video's objects.
      if (isDeleted) return removeObjects(objects, job.videoId);
      if (!(error instanceof CannotBeProcessed)) throw error;
      // If another worker has taken the job, it may have swept the files of this attempt, which then failed for that reason.
      await confirmClaim();
      await fail(job, error.message);
      logger.info(
        { videoId: job.videoId, reason: error.message, err: error.cause },
        'a video cannot be processed; its uploader is told the reason',
      );
      return { failed: error.message };
    }
  };

  return {
    queue: processQueue,
    concurrency,
    handle,
    giveUp: async (job, { cause, killed }) => {
      if ((await load(job.videoId)).status === 'none') return;
      const reason = killed ? KILLED : GAVE_UP;
      await fail(job, reason);
      logger.warn(
        { videoId: job.videoId, reason, err: cause },
        'a video is given up; its owner may retry the processing',
      );
    },
  };
}

/**
 * Keeps the objects that the video's state names, and removes the others. A failed video keeps its original, for a retry. Ladder,
 * storyboard and preview are the extras worker's, which may be storing them.
 */
async function tidy(objects: ObjectStore, videoId: string, state: VideoState): Promise<void> {
  // The video is being retried: another job may have stored a result that is not recorded yet.
  if (state.status === 'processing') return;
  if (state.status === 'none' || state.status === 'deleted') return removeObjects(objects, videoId);
  const kept = [state.original, state.video, state.thumbnail];
  await removeObjects(objects, videoId, kept, (key) => !isExtra(key));
}
