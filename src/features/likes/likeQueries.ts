import type { Kysely } from 'kysely';
import type pg from 'pg';
import type { ReadModels } from '../../../projections/index.ts';
import type { Appended } from '../../core/appended.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { readAgainst } from '../../projecting/readAgainst.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { readVideo, videoNotFound } from '../videos/index.ts';
import { gatherReads } from './gatheredReads.ts';

export interface LikeQueries {
  /** The owner of a video that can be liked. @throws DomainError `video_not_found` when it is not there, not ready, or deleted. */
  ownerOfLikeable(videoId: string): Promise<string>;
  likeCount(videoId: string): Promise<number>;
  /** The count, and whether the command's change is in it. */
  likeCountAgainst(videoId: string, appended: Appended): Promise<{ count: number; holdsIt: boolean }>;
}

interface VideoFacts {
  readonly id: string;
  readonly owner_id: string;
  readonly status: string;
  readonly deleted: boolean;
}

const VIDEOS =
  'select id, owner_id, status, deleted_at is not null as deleted from videos.videos where id = any($1::uuid[])';
const COUNTS = 'select video_id, like_count::int from videos.counts where video_id = any($1::uuid[])';
/** Likes come many at once: what they look up is gathered, so that a hot video and a thousand cold ones cost the same few reads. */
export function createLikeQueries({
  pool,
  db,
  store,
}: {
  readonly pool: pg.Pool;
  readonly db: Kysely<ReadModels>;
  readonly store: Pick<EventStore, 'readStream'>;
}): LikeQueries {
  const videoFacts = gatherReads(async (ids) => {
    const { rows } = await pool.query<VideoFacts>({ name: 'likeableVideos', text: VIDEOS, values: [ids] });
    return new Map(rows.map((row) => [row.id, row]));
  });
  const counts = gatherReads(async (ids) => {
    const { rows } = await pool.query<{ video_id: string; like_count: number }>({
      name: 'likeCounts',
      text: COUNTS,
      values: [ids],
    });
    return new Map(rows.map((row) => [row.video_id, row.like_count]));
  });

  async function ownerByStream(videoId: string): Promise<string> {
    const { state: video } = await readVideo(store, videoId);
    if (video.status !== 'ready') throw videoNotFound();
    return video.ownerId;
  }

  return {
    async ownerOfLikeable(videoId) {
      const facts = await videoFacts(videoId);
      if (facts?.deleted === true || facts?.status === 'failed') throw videoNotFound();
      // The read model may not have heard yet that it is there, or ready.
      return facts?.status === 'ready' ? facts.owner_id : ownerByStream(videoId);
    },
    likeCount: async (videoId) => (await counts(videoId)) ?? 0,
    async likeCountAgainst(videoId, appended) {
      const { result, shows } = await readAgainst(db, videos, appended, (snapshot) =>
        snapshot.selectFrom('videos.counts').select('like_count').where('video_id', '=', videoId).executeTakeFirst(),
      );
      return { count: Number(result?.like_count ?? 0n), holdsIt: shows };
    },
  };
}
