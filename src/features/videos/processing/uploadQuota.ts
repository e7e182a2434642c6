import type pg from 'pg';
import { DomainError } from '../../../core/errors.ts';
import { inTransaction } from '../../../projecting/transaction.ts';
import type { MediaObject } from '../events.ts';

export interface UploadQuotaOptions {
  readonly pool: pg.Pool;
  /** Videos of one user that may be received or wait to be processed at the same time. */
  readonly maxVideos: number;
  /** What their originals may add up to, in bytes. */
  readonly maxBytes: number;
}

export interface PendingUpload {
  readonly videoId: string;
  readonly ownerId: string;
  readonly bytes: number;
}

/** How much of the pipeline one user may fill. What is pending is shared by all processes, in PostgreSQL. */
export interface UploadQuota {
  /**
   * Holds a place for a video until its event is taken in (`recordPending`), it is released, or 31 minutes have passed. Reserving
   * again for the same video changes nothing. Two requests at once are counted one after the other.
   * @throws DomainError `rateLimited` (`too_many_pending_videos`, `too_many_pending_bytes`)
   */
  reserve(upload: PendingUpload): Promise<void>;
  /** Gives back the place of a video that was not recorded after all; without effect on one that was. */
  release(videoId: string): Promise<void>;
}

/** An upload is given up after 30 minutes; see `multipart.ts`. */
const HELD = `interval '31 minutes'`;
/** Seconds: about what a clip takes. */
const RETRY_AFTER = 30;

export function createUploadQuota({ pool, maxVideos, maxBytes }: UploadQuotaOptions): UploadQuota {
  const judge = ({ videos, bytes }: { videos: number; bytes: number }, added: number): void => {
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
    reserve: ({ videoId, ownerId, bytes }) =>
      inTransaction(pool, { schema: 'reelstream' }, async ({ client }) => {
        await client.query('select pg_advisory_xact_lock(hashtext($1))', [`pending uploads of ${ownerId}`]);
        await client.query('delete from reelstream.pending_uploads where owner_id = $1 and expires_at < now()', [
          ownerId,
        ]);
        const { rows } = await client.query<{ videos: number; bytes: number }>(
          'select count(*)::int as videos, coalesce(sum(bytes), 0)::float8 as bytes from reelstream.pending_uploads where owner_id = $1 and video_id <> $2',
          [ownerId, videoId],
        );
        judge(rows[0]!, bytes);
        await client.query(
          `insert into reelstream.pending_uploads as pending (video_id, owner_id, bytes, expires_at) values ($1, $2, $3, now() + ${HELD})
           on conflict (video_id) do update set expires_at = excluded.expires_at where pending.expires_at is not null`,
          [videoId, ownerId, bytes],
        );
      }),
    release: async (videoId) => {
      await pool.query('delete from reelstream.pending_uploads where video_id = $1 and expires_at is not null', [
        videoId,
      ]);
    },
  };
}

/** The video waits to be processed: its place is kept until it is settled. In the caller's transaction. */
export async function recordPending(
  client: pg.ClientBase,
  video: { readonly videoId: string; readonly ownerId: string; readonly original: MediaObject },
): Promise<void> {
  await client.query(
    `insert into reelstream.pending_uploads (video_id, owner_id, bytes) values ($1, $2, $3)
     on conflict (video_id) do update set bytes = excluded.bytes, expires_at = null`,
    [video.videoId, video.ownerId, video.original.size],
  );
}

/** Nothing of the video is waiting any longer. In the caller's transaction. */
export async function settlePending(client: pg.ClientBase, videoId: string): Promise<void> {
  await client.query('delete from reelstream.pending_uploads where video_id = $1', [videoId]);
}

function refuse(code: string, message: string): DomainError {
  return new DomainError('rateLimited', code, message, { retryAfter: RETRY_AFTER });
}
