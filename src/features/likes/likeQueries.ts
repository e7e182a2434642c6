import { sql, type Expression, type Kysely, type SqlBool } from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import { videos } from '../../../projections/videos/videos.ts';
import type { Appended } from '../../core/appended.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { preparedQuery, type Argument } from '../../postgres/preparedQuery.ts';
import { readAgainst } from '../../projecting/readAgainst.ts';
import { readVideo, videoNotFound } from '../videos/index.ts';
import { gatherLookUps } from '../../postgres/gatheredReads.ts';

export interface LikeQueries {
  /** The owner of a video that can be liked. @throws DomainError `video_not_found` when it does not exist, is not ready, or is deleted. */
  ownerOfLikeable(videoId: string): Promise<string>;
  likeCount(videoId: string): Promise<number>;
  /** The count, and whether the command's change is in it. */
  likeCountAgainst(videoId: string, appended: Appended): Promise<{ count: number; holdsIt: boolean }>;
}

interface Ids {
  readonly ids: readonly string[];
}

/** One parameter for any number of ids, so that one prepared statement serves all of them. */
const isAnyOf = (column: Expression<string>, argument: Argument<Ids>): Expression<SqlBool> =>
  sql`${column} = any(${argument('ids')}::uuid[])`;

/** Many likes arrive at once. Their look-ups are gathered, so that one much-liked video costs as many reads as a thousand others. */
export function createLikeQueries({
  db,
  store,
}: {
  readonly db: Kysely<ReadModels>;
  readonly store: Pick<EventStore, 'readStream'>;
}): LikeQueries {
  const videosByIds = preparedQuery(db, (argument: Argument<Ids>) =>
    db
      .selectFrom('videos.videos')
      .select(['id', 'owner_id', 'status', 'deleted_at'])
      .where(({ ref }) => isAnyOf(ref('id'), argument)),
  );
  const countsByIds = preparedQuery(db, (argument: Argument<Ids>) =>
    db
      .selectFrom('videos.counts')
      .select(['video_id', 'like_count'])
      .where(({ ref }) => isAnyOf(ref('video_id'), argument)),
  );
  const video = gatherLookUps(async (ids) => new Map((await videosByIds({ ids })).map((row) => [row.id, row])));
  const count = gatherLookUps(
    async (ids) => new Map((await countsByIds({ ids })).map((row) => [row.video_id, Number(row.like_count)])),
  );

  async function ownerByStream(videoId: string): Promise<string> {
    const { state } = await readVideo(store, videoId);
    if (state.status !== 'ready') throw videoNotFound();
    return state.ownerId;
  }

  return {
    async ownerOfLikeable(videoId) {
      const found = await video(videoId);
      if (found?.status === 'failed' || (found !== undefined && found.deleted_at !== null)) throw videoNotFound();
      // The read model may not show yet that the video exists, or that it is ready.
      return found?.status === 'ready' ? found.owner_id : ownerByStream(videoId);
    },
    likeCount: async (videoId) => (await count(videoId)) ?? 0,
    async likeCountAgainst(videoId, appended) {
      const { result, shows } = await readAgainst(db, videos, appended, (snapshot) =>
        snapshot.selectFrom('videos.counts').select('like_count').where('video_id', '=', videoId).executeTakeFirst(),
      );
      return { count: Number(result?.like_count ?? 0n), holdsIt: shows };
    },
  };
}
