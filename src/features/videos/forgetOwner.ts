import type { Kysely } from 'kysely';
import pLimit from 'p-limit';
import { v7 } from 'uuid';
import type { ReadModels } from '../../../projections/index.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { erasureRecord, withoutFields } from '../../core/erasedFields.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { clearFieldsOf } from '../../core/eventCodec.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { EraseInPlace } from '../../core/eraseInPlace.ts';
import type { ObjectStore } from '../../objectStore/objectStore.ts';
import { handleVideoCommand } from './commandRoutes.ts';
import { videoStream } from './decider.ts';
import { videoEventTypes } from './events.ts';
import { pendingUploadsOf } from './processing/pendingUploads.ts';
import { createUploadQuota } from './processing/uploadQuota.ts';
import { removeUpload } from './resumable/finishUpload.ts';
import { metadataOf } from './resumable/uploadDetails.ts';
import { createUploads } from './resumable/uploads.ts';

export interface ForgetOwner {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  /** As it is stored. */
  readonly rawStore: Pick<EventStore, 'readStream'>;
  /** Undefined when the log does not let events change. */
  readonly eraseInPlace: EraseInPlace | undefined;
  readonly db: Kysely<ReadModels>;
  readonly objects: ObjectStore;
  readonly settings: { readonly uploadQuota: { readonly maxVideos: number; readonly maxBytes: number } };
}

const AT_ONCE = 8;

/**
 * Deletes the videos of a forgotten user that the read model has, and erases their titles and descriptions, also of those that
 * were deleted before. It is safe to repeat. Returns the streams of the videos.
 */
export async function deleteVideosOf(
  options: ForgetOwner,
  ownerId: string,
  context: CommandContext,
): Promise<string[]> {
  const found = await options.db.selectFrom('videos.videos').select('id').where('owner_id', '=', ownerId).execute();
  const at = context.now.toISOString();
  await pLimit(AT_ONCE).map(found, async ({ id }) => {
    await handleVideoCommand(options.store, id, { type: 'DeleteVideo', userId: ownerId, at }, context);
    await eraseText(options, id, context);
  });
  return found.map(({ id }) => videoStream(id));
}

/** Records what is erased before it is: `events check` looks for that record. */
async function eraseText(
  { store, rawStore, eraseInPlace }: ForgetOwner,
  videoId: string,
  context: CommandContext,
): Promise<void> {
  const inClear: RecordedEvent[] = [];
  if (eraseInPlace !== undefined)
    for await (const event of rawStore.readStream(videoStream(videoId))) {
      const fields = clearFieldsOf(event, videoEventTypes);
      if (fields.length > 0) inClear.push(withoutFields(event, fields));
    }
  const command = {
    type: 'EraseVideoText',
    erased: inClear.map(erasureRecord),
    at: context.now.toISOString(),
  } as const;
  await handleVideoCommand(store, videoId, command, context);
  await eraseInPlace?.(inClear);
}

/** What is known of the resumable uploads of a user. */
export async function uploadsOf(db: Kysely<ReadModels>, ownerId: string): Promise<object[]> {
  const found = await createUploads(db).allOf(ownerId);
  return found.map((upload) => ({
    id: upload.id,
    videoId: upload.video_id,
    length: upload.length,
    received: upload.received,
    metadata: metadataOf(upload),
    createdAt: upload.created_at,
    expiresAt: upload.expires_at,
  }));
}

/** Removes the resumable uploads of a user. One that a request still uses is left: that request is asked to end. */
export async function removeUploadsOf({ db, objects, settings }: ForgetOwner, ownerId: string): Promise<number> {
  const uploads = createUploads(db);
  const quota = createUploadQuota({ db: pendingUploadsOf(db), ...settings.uploadQuota });
  let left = 0;
  for (const { id, video_id: videoId } of await uploads.allOf(ownerId)) {
    if ((await uploads.lock(id, v7())) === 'locked') await removeUpload({ uploads, objects, quota }, id, videoId);
    else left++;
  }
  return left;
}
