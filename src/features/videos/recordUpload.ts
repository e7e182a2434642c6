import { z } from 'zod';
import type { CommandContext } from '../../core/commandContext.ts';
import type { CommandOutcome } from '../../core/commandHandler.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import type { MediaFacts } from '../../media/mediaFacts.ts';
import { explainFault } from '../../media/receiving/upload.ts';
import type { ReceivedFile } from '../../media/receiving/writeFile.ts';
import type { UploadProgress } from '../../realtime/uploadProgress.ts';
import { refuseSuspended } from './refuseSuspended.ts';
import type { FeatureContext } from '../feature.ts';
import { handleVideoCommand, videoDescription, videoTitle, videoVisibility } from './commandRoutes.ts';
import type { UploadVideo, VideoState } from './decider.ts';
import type { VideoEvent } from './events.ts';
import { storeOriginal } from './processing/mediaKeys.ts';
import { progressOf } from './processing/stages.ts';

/** What an uploader says of a video. */
export const newVideoDetails = z.object({
  title: videoTitle,
  description: videoDescription.default(''),
  visibility: videoVisibility.default('public'),
});

export type NewVideoDetails = z.infer<typeof newVideoDetails>;

export interface CheckedUpload extends Omit<UploadVideo, 'type' | 'original' | 'facts' | 'at'> {
  /** As it was received. */
  readonly file: ReceivedFile;
  readonly facts: MediaFacts;
}

/**
 * The last step of every upload: stores the checked file, and records the video. When the video cannot be recorded, the
 * stored file is removed.
 * @throws DomainError `account_suspended`
 */
export async function recordUpload(
  { store, objects, reportProgress }: Pick<FeatureContext, 'store' | 'objects' | 'reportProgress'>,
  { file, ...upload }: CheckedUpload,
  context: CommandContext,
): Promise<CommandOutcome<VideoEvent, VideoState>> {
  const { videoId, ownerId } = upload;
  // The user may have been suspended since the upload began.
  await refuseSuspended(store, ownerId);
  const report = uploadReporter(reportProgress, { userId: ownerId, videoId });
  report('storing');
  const original = await storeOriginal(objects, videoId, file).catch((error: unknown) => {
    throw explainFault(error);
  });
  report('storing', 1);
  const at = context.now.toISOString();
  try {
    return await handleVideoCommand(store, videoId, { type: 'UploadVideo', ...upload, original, at }, context);
  } catch (error) {
    // The store has not answered, so the event may be in the log, and then its file must be kept.
    if (!(error instanceof EventStoreUnavailable)) await objects.remove([original.key]);
    throw error;
  }
}

/** Tells how far one upload is, by the share (0 to 1) of a stage. */
export function uploadReporter(
  reportProgress: FeatureContext['reportProgress'],
  upload: Pick<UploadProgress, 'userId' | 'videoId'>,
): (stage: UploadProgress['stage'], share?: number) => void {
  return (stage, share = 0) => reportProgress({ ...upload, stage, progress: progressOf(stage, share) });
}
