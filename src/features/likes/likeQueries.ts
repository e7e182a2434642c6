import { sql, type Expression, type Kysely, type SqlBool } from 'kysely';
import type { ReadModels } from '../../../projections/index.ts';
import { countsTable } from '../../../projections/videos/tables.ts';
import { videos } from '../../../projections/videos/videos.ts';
import type { Appended } from '../../core/appended.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { preparedQuery, type Argument } from '../../postgres/preparedQuery.ts';
import { readAgainst } from '../../projecting/readAgainst.ts';
import type { WrittenRows } from '../../projecting/writtenRows.ts';
import { askColumnsInPlace } from '../../projecting/tables/columnsInPlace.ts';
import { readVideo, seenAs, videoNotFound, type Visibility } from '../videos/index.ts';
import { gatherLookUps } from '../../postgres/gatheredReads.ts';

export interface LikeQueries {
  /**
   * A video that this user can like. @throws DomainError `video_not_found` when it does not exist, is not ready, is
   * deleted, or is another user's private or hidden video.
   */
  likeable(videoId: string, userId: string): Promise<LikeableVideo>;
  /** The count, once the read model shows the command. */
  likeCount(videoId: string, appended: Appended): Promise<number>;
  /** The count, and whether the command's change is in it. */
  likeCountAgainst(videoId: string, appended: Appended): Promise<{ count: number; holdsIt: boolean }>;
}

export interface LikeableVideo {
  readonly ownerId: string;
  /** Set if only the owner may see it. */
  readonly isPrivate?: true;
}

/** Columns that tables of earlier versions do not have. */
const added = ['visibility', 'moderation'] as const;

interface Ids {
  readonly ids: readonly string[];
}

/**
 * One parameter for any number of ids, so that one prepared statement serves all of them. In a sub-select, so that PostgreSQL does not plan
 * it anew for each number (`asked`).
 */
const isAnyOf = (column: Expression<string>, argument: Argument<Ids>): Expression<SqlBool> =>
  sql`${column} = any((select ${argument('ids')}::uuid[])::uuid[])`;

/** Many likes arrive at once. Their look-ups are gathered, so that one much-liked video costs as many reads as a thousand others. */
export function createLikeQueries({
  db,
  store,
  readModels,
}: {
  readonly db: Kysely<ReadModels>;
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readModels: Pick<WrittenRows, 'written'>;
}): LikeQueries {
  const videosWith = (columns: readonly (typeof added)[number][]) =>
    preparedQuery(db, (argument: Argument<Ids>) =>
      db
        .selectFrom('videos.videos')
        .select(['id', 'owner_id', 'status', 'deleted_at', ...columns])
        .where(({ ref }) => isAnyOf(ref('id'), argument)),
    );
  const prepared = new Map<string, ReturnType<typeof videosWith>>();
  // In tables of earlier versions no video is private, and none is hidden.
  const askVideos = (ids: readonly string[]) =>
    askColumnsInPlace(db, { projection: videos, table: 'videos', columns: added }, (inPlace) => {
      const key = inPlace.join();
      const videosByIds = prepared.get(key) ?? videosWith(inPlace);
      prepared.set(key, videosByIds);
      return videosByIds({ ids });
    });
  const countsByIds = preparedQuery(db, (argument: Argument<Ids>) =>
    db
      .selectFrom('videos.counts')
      .select(['video_id', 'like_count'])
      .where(({ ref }) => isAnyOf(ref('video_id'), argument)),
  );
  const video = gatherLookUps(async (ids) => new Map((await askVideos(ids)).map((row) => [row.id, row])));
  const count = gatherLookUps(
    async (ids) => new Map((await countsByIds({ ids })).map((row) => [row.video_id, Number(row.like_count)])),
  );

  async function byStream(videoId: string): Promise<{ ownerId: string; seen: Visibility }> {
    const { state } = await readVideo(store, videoId);
    if (state.status !== 'ready') throw videoNotFound();
    return { ownerId: state.ownerId, seen: seenAs(state) };
  }

  return {
    async likeable(videoId, userId) {
      const found = await video(videoId);
      if (found?.status === 'failed' || (found !== undefined && found.deleted_at !== null)) throw videoNotFound();
      // The read model may not show yet that the video exists, or that it is ready.
      const { ownerId, seen } =
        found?.status === 'ready'
          ? { ownerId: found.owner_id, seen: found.moderation === 'hidden' ? 'private' : found.visibility }
          : await byStream(videoId);
      if (seen !== 'private') return { ownerId };
      if (ownerId !== userId) throw videoNotFound();
      return { ownerId, isPrivate: true };
    },
    async likeCount(videoId, appended) {
      const row = readModels.written(countsTable, videoId, appended);
      return row === undefined ? ((await count(videoId)) ?? 0) : Number(row.like_count);
    },
    async likeCountAgainst(videoId, appended) {
      const { result, shows } = await readAgainst(db, videos, appended, (snapshot) =>
        snapshot.selectFrom('videos.counts').select('like_count').where('video_id', '=', videoId).executeTakeFirst(),
      );
      return { count: Number(result?.like_count ?? 0n), holdsIt: shows };
    },
  };
}
