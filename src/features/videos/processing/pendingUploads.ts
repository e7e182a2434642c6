import type { ColumnType, Kysely } from 'kysely';
import type { ConsumerTransaction } from '../../../projecting/consumer.ts';
import type { UploadProgress } from '../../../realtime/uploadProgress.ts';
import type { MediaObject } from '../events.ts';

/** The videos of each user that are being received or wait to be processed (migrations 0005 and 0009). */
export interface PendingUploadTables {
  readonly 'reelstream.pending_uploads': {
    readonly video_id: string;
    readonly owner_id: string;
    readonly bytes: ColumnType<bigint, number, number>;
    /** Null once the upload is in the log. Until then the row is a reservation, and lapses at this time. */
    readonly expires_at: Date | null;
    /** How far its worker was when it last said so; null before. */
    readonly stage: UploadProgress['stage'] | null;
    readonly progress: number | null;
  };
}

type Transaction = Pick<ConsumerTransaction, 'db'>;

/** Keeps the place of a video that waits to be processed, until `settlePending`. In the caller's transaction. */
export async function recordPending(
  { db }: Transaction,
  video: { readonly videoId: string; readonly ownerId: string; readonly original: MediaObject },
): Promise<void> {
  const { videoId, ownerId, original } = video;
  await pendingUploadsOf(db)
    .insertInto('reelstream.pending_uploads')
    .values({ video_id: videoId, owner_id: ownerId, bytes: original.size, expires_at: null })
    .onConflict((conflict) =>
      // A retry begins anew.
      conflict.column('video_id').doUpdateSet({ bytes: original.size, expires_at: null, stage: null, progress: null }),
    )
    .execute();
}

/** Gives back the place of a video that no longer waits. In the caller's transaction. */
export async function settlePending({ db }: Transaction, videoId: string): Promise<void> {
  await pendingUploadsOf(db).deleteFrom('reelstream.pending_uploads').where('video_id', '=', videoId).execute();
}

type Progress = Pick<UploadProgress, 'stage' | 'progress'>;

/** How far the workers of these videos are. A video that no worker has begun is missing. */
export async function progressOfPending(
  db: Kysely<PendingUploadTables>,
  videoIds: readonly string[],
): Promise<ReadonlyMap<string, Progress>> {
  if (videoIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('reelstream.pending_uploads')
    .select(['video_id', 'stage', 'progress'])
    .where('video_id', 'in', videoIds)
    .execute();
  return new Map(
    rows.flatMap(({ video_id, stage, progress }) =>
      stage === null || progress === null ? [] : [[video_id, { stage, progress }]],
    ),
  );
}

/** Kysely on the same connections, for this table only. */
export function pendingUploadsOf<Tables>(db: Kysely<Tables>): Kysely<PendingUploadTables> {
  return db as unknown as Kysely<PendingUploadTables>;
}
