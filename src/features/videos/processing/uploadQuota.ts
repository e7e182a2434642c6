import { sql, type Kysely, type Transaction } from 'kysely';
import { DomainError } from '../../../core/errors.ts';
import type { PendingUploadTables } from './pendingUploads.ts';

export interface UploadQuotaOptions {
  readonly db: Kysely<PendingUploadTables>;
  /** Videos of one user that may be received or wait to be processed at the same time. */
  readonly maxVideos: number;
  /** What their originals may add up to, in bytes. */
  readonly maxBytes: number;
}

export interface PendingUpload {
  readonly videoId: string;
  readonly ownerId: string;
  readonly bytes: number;
  /** How long the place is held; 31 minutes by default. */
  readonly until?: Date;
}

/** How much of the pipeline one user may fill. All processes share the count, in PostgreSQL. */
export interface UploadQuota {
  /**
   * Holds a place for a video until the process manager handles its event (`recordPending`), it is released, or its time
   * is over. Reserving again for the same video only makes the place last longer. Requests of one user are
   * counted one after the other.
   * @throws DomainError `rateLimited` (`too_many_pending_videos`, `too_many_pending_bytes`)
   */
  reserve(upload: PendingUpload): Promise<void>;
  /** Gives back the place of a video whose upload failed. Without effect once its event was handled. */
  release(videoId: string): Promise<void>;
}

/** What a route that calls `reserve` declares as its answer of 429. */
export const quotaRefusal = {
  description:
    'Too many of your videos wait to be processed (`too_many_pending_videos`, `too_many_pending_bytes`), or too many requests.',
  code: 'too_many_pending_videos',
} as const;

/** One minute longer than an upload may take. */
const HELD = sql<Date>`now() + interval '31 minutes'`;
/** Seconds: about the time that a clip takes. */
const RETRY_AFTER = 30;

export function createUploadQuota({ db, maxVideos, maxBytes }: UploadQuotaOptions): UploadQuota {
  const check = ({ videos, bytes }: { videos: number; bytes: number }, added: number): void => {
    const remedy = 'Wait until one of them is ready, or delete one; then try again.';
    if (videos >= maxVideos)
      throw refuse(
        'too_many_pending_videos',
        `${videos} of your videos are still waiting to be processed; at most ${maxVideos} may. ${remedy}`,
      );
    if (videos > 0 && bytes + added > maxBytes) {
      throw refuse(
        'too_many_pending_bytes',
        `With this one, your videos that wait to be processed would be larger than ${Math.floor(maxBytes / 1024 / 1024)} MB. ${remedy}`,
      );
    }
  };

  return {
    reserve: (upload) =>
      db.transaction().execute(async (transaction) => {
        await lockUser(transaction, upload.ownerId);
        await removeLapsed(transaction, upload.ownerId);
        check(await othersOf(transaction, upload), upload.bytes);
        await transaction
          .insertInto('reelstream.pending_uploads')
          .values({
            video_id: upload.videoId,
            owner_id: upload.ownerId,
            bytes: upload.bytes,
            expires_at: upload.until ?? HELD,
          })
          .onConflict((conflict) =>
            conflict
              .column('video_id')
              .doUpdateSet({ expires_at: upload.until ?? HELD })
              .where('reelstream.pending_uploads.expires_at', 'is not', null),
          )
          .execute();
      }),
    release: async (videoId) => {
      await db
        .deleteFrom('reelstream.pending_uploads')
        .where('video_id', '=', videoId)
        .where('expires_at', 'is not', null)
        .execute();
    },
  };
}

/**
 * Lets the requests of one user pass one after the other, until the transaction ends. A process that is stopped in the
 * middle holds the others up for a minute at most. The commit does not wait for the disk: a reservation may get lost.
 */
async function lockUser(transaction: Transaction<PendingUploadTables>, ownerId: string): Promise<void> {
  await sql`
    select set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '10s', true),
      set_config('idle_in_transaction_session_timeout', '60s', true)`.execute(transaction);
  await sql`select pg_advisory_xact_lock(hashtext(${`pending uploads of ${ownerId}`}))`.execute(transaction);
}

async function removeLapsed(transaction: Transaction<PendingUploadTables>, ownerId: string): Promise<void> {
  await transaction
    .deleteFrom('reelstream.pending_uploads')
    .where('owner_id', '=', ownerId)
    .where('expires_at', '<', sql<Date>`now()`)
    .execute();
}

async function othersOf(
  transaction: Transaction<PendingUploadTables>,
  { ownerId, videoId }: PendingUpload,
): Promise<{ videos: number; bytes: number }> {
  const { videos, bytes } = await transaction
    .selectFrom('reelstream.pending_uploads')
    .where('owner_id', '=', ownerId)
    .where('video_id', '<>', videoId)
    .select(({ fn }) => [fn.countAll().as('videos'), fn.sum('bytes').as('bytes')])
    .executeTakeFirstOrThrow();
  return { videos: Number(videos), bytes: Number(bytes) };
}

function refuse(code: string, message: string): DomainError {
  return new DomainError('rateLimited', code, message, { retryAfter: RETRY_AFTER });
}
