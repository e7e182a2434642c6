import type { Logger } from 'pino';
import type { CommandContext } from '../../../core/commandContext.ts';
import { handleCommand } from '../../../core/commandHandler.ts';
import type { EventStore } from '../../../core/eventStore.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import { videoDecider, videoStream, type ExistingVideo, type VideoCommand, type VideoState } from '../decider.ts';
import type { VideoEvent } from '../events.ts';
import { removeObjects } from './mediaKeys.ts';
import type { GiveUpHandler, MediaJob, MediaJobHandler, MediaJobHandlers } from '../../../jobs/mediaJobs.ts';
import { makeRendition, CannotBeProcessed, type RenderOptions } from './makeRendition.ts';
import { progressOf, type ReportUploadProgress, type UploadProgress } from '../../../realtime/uploadProgress.ts';

export interface MediaWorkerOptions extends Omit<RenderOptions, 'objects'> {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly objects: ObjectStore;
  readonly reportProgress: ReportUploadProgress;
  readonly logger: Logger;
  readonly now?: () => Date;
}

const GAVE_UP =
  'The video could not be processed because of a fault on our side. The uploaded file is kept: retry the processing later.';
const KILLED =
  'Processing was stopped several times because of a fault on our side. The uploaded file is kept: retry the processing later.';

/**
 * What media jobs do. Everything is safe to repeat: results are named by their bytes, events by the job, and whatever
 * an earlier try left in the object store is removed by the one that succeeds.
 */
export function createMediaWorker(options: MediaWorkerOptions): MediaJobHandlers {
  const { store, objects, reportProgress, logger, now = () => new Date() } = options;

  const decide = async (job: MediaJob, step: string, command: VideoCommand): Promise<VideoState> => {
    const context: CommandContext = {
      ...job,
      actor: 'media',
      idempotencyKey: `${step}:${job.causationId}`,
      now: now(),
    };
    return (await handleCommand(store, videoDecider, videoStream(job.videoId), command, context)).state;
  };

  const fail = async (job: MediaJob, reason: string): Promise<void> =>
    tidy(
      objects,
      job.videoId,
      await decide(job, 'failed', { type: 'RecordProcessingFailure', reason, at: now().toISOString() }),
    );

  const process: MediaJobHandler = async (job, signal, confirmClaim) => {
    const video = await load(store, job.videoId);
    if (video === undefined) throw new Error(`video ${job.videoId} has a job and no events`);
    if (video.status !== 'processing') return tidy(objects, job.videoId, video);
    const report = (stage: UploadProgress['stage'], share?: number): void =>
      reportProgress({ userId: video.ownerId, videoId: video.id, stage, progress: progressOf(stage, share) });
    try {
      const rendition = await makeRendition(video, { ...options, signal, report });
      const state = await decide(job, 'processed', {
        type: 'RecordVideoProcessed',
        ...rendition,
        at: now().toISOString(),
      });
      report('ready');
      await tidy(objects, job.videoId, state);
    } catch (error) {
      const isDeleted = await load(store, job.videoId).then(
        (now) => now?.status === 'deleted',
        () => false,
      );
      // What this try stored may have come after the deletion's own removal.
      if (isDeleted) return removeObjects(objects, job.videoId);
      if (!(error instanceof CannotBeProcessed)) throw error;
      // Whoever took the job in the meantime may have swept the files that this try failed for want of.
      await confirmClaim();
      await fail(job, error.message);
      logger.info(
        { videoId: job.videoId, reason: error.message, err: error.cause },
        'a video cannot be processed; its uploader is told the reason',
      );
    }
  };

  const giveUp =
    (reason: string): GiveUpHandler =>
    async (job, cause) => {
      if ((await load(store, job.videoId)) === undefined) return;
      await fail(job, reason);
      logger.warn(
        { videoId: job.videoId, reason, err: cause },
        'a video is given up; its owner may retry the processing',
      );
    };

  return {
    process,
    remove: (job) => removeObjects(objects, job.videoId),
    giveUp: giveUp(GAVE_UP),
    giveUpKilled: giveUp(KILLED),
  };
}

/** Keeps what the video's state names, and nothing else. A video that failed keeps its original: a retry needs it. */
async function tidy(objects: ObjectStore, videoId: string, state: VideoState): Promise<void> {
  // Retried meanwhile: another job may have stored a result that is not recorded yet.
  if (state.status === 'processing') return;
  const kept =
    state.status === 'none' || state.status === 'deleted' ? [] : [state.original, state.video, state.thumbnail];
  await removeObjects(objects, videoId, kept);
}

async function load(store: Pick<EventStore, 'readStream'>, videoId: string): Promise<ExistingVideo | undefined> {
  let state = videoDecider.initialState;
  for await (const event of store.readStream(videoStream(videoId)))
    state = videoDecider.evolve(state, event as unknown as VideoEvent);
  return state.status === 'none' ? undefined : state;
}
