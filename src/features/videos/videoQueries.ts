import type pg from 'pg';
import type { AuthorRow, VideoRow } from '../../../projections/videos/tables.ts';
import type { MediaUrls, VideoView } from './videoView.ts';

export interface FeedPage {
  readonly videos: readonly VideoView[];
  /** How long the whole feed is. */
  readonly total: number;
  /** Id of the last video of this page; undefined when nothing comes after it. */
  readonly next: string | undefined;
}

export interface VideoWithNeighbours {
  readonly video: VideoView;
  /** Last revision of the video's stream that the read model has. */
  readonly revision: number;
  /** Ids of the next older and the next newer video of the feed. */
  readonly prev: string | null;
  readonly next: string | null;
}

/** The read model `videos`. Ids that are asked for must be UUIDs. */
export interface VideoQueries {
  /** Newest first, ready ones only: after a number of videos, or older than the one with this id. */
  feed(from: { readonly offset: number } | { readonly olderThan: string }, limit: number): Promise<FeedPage>;
  /** Whatever its status; not when it is deleted. */
  byId(videoId: string): Promise<VideoWithNeighbours | undefined>;
  /** Everything that a user has uploaded and not deleted, newest first, whatever its status. */
  ofOwner(userId: string): Promise<VideoView[]>;
  /** From the projection `likes`. */
  isLiked(videoId: string, userId: string): Promise<boolean>;
}

const LISTED = `status = 'ready' and deleted_at is null`;

/** Counts and authors are in rows of their own, which may not be there yet. */
const view = (videos: string): string => `
  select v.id, v.title, v.description, v.video_key, v.thumbnail_key, v.owner_id, v.created_at, v.updated_at,
    v.duration, v.width, v.height, v.status, v.revision,
    coalesce(c.view_count, 0)::int as view_count, coalesce(c.like_count, 0)::int as like_count, a.name, a.username
  from ${videos} v
  left join videos.counts c on c.video_id = v.id
  left join videos.authors a on a.user_id = v.owner_id`;

/** The one row of totals is there also when the page is empty. The page is cut before counts are joined to it. */
const feed = (page: string): string => `
  select t.ready::int as total, page.* from videos.totals t left join lateral (
    ${view(`(select * from videos.videos where ${LISTED} ${page})`)}
  ) page on true order by page.id desc`;

const neighbour = (older: boolean): string =>
  `(select id from videos.videos where ${LISTED} and id ${older ? '<' : '>'} v.id order by id ${older ? 'desc' : 'asc'} limit 1)`;

const FEED_AT = feed('order by id desc limit $1 offset $2');
const FEED_AFTER = feed('and id < $2 order by id desc limit $1');
const BY_ID = `select v.*, ${neighbour(true)} as prev, ${neighbour(false)} as next
  from (${view('videos.videos')} where v.id = $1 and v.deleted_at is null) v`;
const OF_OWNER = `${view('videos.videos')} where v.owner_id = $1 and v.deleted_at is null order by v.id desc`;
const IS_LIKED = 'select liked from likes.likes where user_id = $1 and video_id = $2';

type ViewRow = Pick<
  VideoRow,
  | 'id'
  | 'title'
  | 'description'
  | 'video_key'
  | 'thumbnail_key'
  | 'owner_id'
  | 'created_at'
  | 'updated_at'
  | 'duration'
  | 'width'
  | 'height'
  | 'status'
  | 'revision'
> &
  Record<'view_count' | 'like_count', number> & { [column in 'name' | 'username']: AuthorRow[column] | null };

export function createVideoQueries({ pool, urls }: { readonly pool: pg.Pool; readonly urls: MediaUrls }): VideoQueries {
  const toView = (row: ViewRow): VideoView => ({
    id: row.id,
    title: row.title,
    description: row.description,
    url: row.video_key && urls.url(row.video_key),
    thumbnailUrl: row.thumbnail_key && urls.url(row.thumbnail_key),
    viewCount: row.view_count,
    likeCount: row.like_count,
    uploadedBy: row.owner_id,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    user: { name: row.name ?? '', username: row.username ?? '' },
    duration: row.duration,
    width: row.width,
    height: row.height,
    status: row.status,
  });

  return {
    async feed(from, limit) {
      // One more than asked for tells whether anything comes after.
      const query =
        'offset' in from
          ? { name: 'feedAt', text: FEED_AT, values: [limit + 1, from.offset] }
          : { name: 'feedAfter', text: FEED_AFTER, values: [limit + 1, from.olderThan] };
      const { rows } = await pool.query<(ViewRow | { id: null }) & { total: number }>(query);
      const found = rows.filter((row) => row.id !== null);
      const videos = found.slice(0, limit).map(toView);
      return { videos, total: rows[0]?.total ?? 0, next: found.length > limit ? videos.at(-1)?.id : undefined };
    },

    async byId(videoId) {
      const { rows } = await pool.query<ViewRow & { prev: string | null; next: string | null }>({
        name: 'videoById',
        text: BY_ID,
        values: [videoId],
      });
      const [row] = rows;
      return row && { video: toView(row), revision: row.revision, prev: row.prev, next: row.next };
    },

    async ofOwner(userId) {
      const { rows } = await pool.query<ViewRow>({ name: 'videosOfOwner', text: OF_OWNER, values: [userId] });
      return rows.map(toView);
    },

    async isLiked(videoId, userId) {
      const query = { name: 'isLiked', text: IS_LIKED, values: [userId, videoId] };
      const { rows } = await pool.query<{ liked: boolean }>(query);
      return rows[0]?.liked === true;
    },
  };
}
