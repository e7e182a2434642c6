import type pg from 'pg';
import { fold } from '../../core/decider.ts';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { partitionOf } from '../../core/partitions.ts';
import { videoDecider, videoNotFound, videoStream } from '../videos/decider.ts';
import type { VideoEvent } from '../videos/events.ts';
import { gatherReads } from './gatheredReads.ts';

export interface LikeQueries {
  /** The owner of a video that can be liked. @throws DomainError `video_not_found` when it is not there, not ready, or deleted. */
  ownerOfLikeable(videoId: string): Promise<string>;
  likeCount(videoId: string): Promise<number>;
  /** The count, and whether it holds that change already: one that nobody has told of yet must not be added once more. */
  likeCountAgainst(
    videoId: string,
    change: { readonly stream: string; readonly position: bigint },
  ): Promise<{ count: number; holdsIt: boolean }>;
  isLiked(videoId: string, userId: string): Promise<boolean>;
}

interface VideoFacts {
  readonly id: string;
  readonly owner_id: string;
  readonly status: string;
  readonly deleted: boolean;
}

interface CountAtCheckpoint {
  readonly partition: number;
  readonly partitions: number;
  readonly position: bigint;
  readonly count: number;
}

const VIDEOS =
  'select id, owner_id, status, deleted_at is not null as deleted from videos.videos where id = any($1::uuid[])';
const COUNTS = 'select video_id, like_count::int from videos.counts where video_id = any($1::uuid[])';
/** One statement, so that count and checkpoints are of one moment. */
const COUNT_AND_CHECKPOINTS = `
  select partition, partitions, position, coalesce((select like_count from videos.counts where video_id = $1), 0)::int as count
  from videos.checkpoints`;
const IS_LIKED = 'select liked from likes.likes where user_id = $1 and video_id = $2';

/** Likes come many at once: what they look up is gathered, so that a hot video and a thousand cold ones cost the same few reads. */
export function createLikeQueries({
  pool,
  store,
}: {
  readonly pool: pg.Pool;
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
    const events: RecordedEvent<VideoEvent>[] = [];
    for await (const event of store.readStream(videoStream(videoId))) events.push(event as RecordedEvent<VideoEvent>);
    const video = fold(videoDecider, events);
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
    async likeCountAgainst(videoId, { stream, position }) {
      const { rows } = await pool.query<CountAtCheckpoint>({
        name: 'likeCountAgainst',
        text: COUNT_AND_CHECKPOINTS,
        values: [videoId],
      });
      const checkpoint = rows.find(({ partition, partitions }) => partition === partitionOf(stream, partitions));
      return { count: checkpoint?.count ?? 0, holdsIt: checkpoint !== undefined && checkpoint.position >= position };
    },
    async isLiked(videoId, userId) {
      const { rows } = await pool.query<{ liked: boolean }>({
        name: 'isLiked',
        text: IS_LIKED,
        values: [userId, videoId],
      });
      return rows[0]?.liked === true;
    },
  };
}
