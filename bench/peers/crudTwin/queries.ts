import type pg from 'pg';

const VIDEO = `
  v.id, v.title, v.description, v.video_key, v.thumbnail_key, v.hls_key, v.storyboard_key, v.preview_key, v.view_count, v.like_count,
  v.owner_id, v.created_at, v.updated_at, u.name, u.username, v.duration, v.width, v.height, v.status, v.visibility`;
/** Of the feed. */
const SHOWN = `status = 'ready' and visibility = 'public' and not hidden`;
/** For those who know the id. */
const SEEN = `status = 'ready' and visibility <> 'private' and not hidden`;

export interface VideoRow {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly video_key: string;
  readonly thumbnail_key: string;
  readonly hls_key: string | null;
  readonly storyboard_key: string | null;
  readonly preview_key: string | null;
  readonly view_count: number;
  readonly like_count: number;
  readonly owner_id: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly name: string;
  readonly username: string;
  readonly duration: number;
  readonly width: number;
  readonly height: number;
  readonly status: string;
  readonly visibility: string;
}

export type PageRow = VideoRow & { readonly total: number };
export type WatchedRow = VideoRow & {
  readonly prev: string | null;
  readonly next: string | null;
  readonly is_liked: boolean;
};

/** The page is cut before authors are joined to it. */
const page = (condition: string, more = ''): string => `
  select t.ready as total, ${VIDEO}
  from totals t, (select * from videos where ${SHOWN} ${condition} order by id desc limit $2 ${more}) v
  join users u on u.id = v.owner_id
  order by v.id desc`;

/** Every statement is prepared once a connection and takes one round trip. */
export function createQueries(pool: pg.Pool) {
  const prepared =
    <Row extends object>(name: string, text: string) =>
    async (...values: readonly unknown[]): Promise<Row[]> =>
      (await pool.query<Row>({ name, text, values: [...values] })).rows;

  return {
    feedAt: prepared<PageRow>('feed_at', page('', 'offset $1')),
    feedAfter: prepared<PageRow>('feed_after', page('and id < $1')),
    watched: prepared<WatchedRow>(
      'watched',
      `select ${VIDEO},
        (select id from videos n where ${SHOWN} and n.id < v.id order by id desc limit 1) as prev,
        (select id from videos n where ${SHOWN} and n.id > v.id order by id limit 1) as next,
        exists (select from likes where user_id = $2 and video_id = v.id) as is_liked
      from videos v join users u on u.id = v.owner_id where v.id = $1 and ${SEEN}`,
    ),
    toggleLike: prepared<{ like_count: number; liked: boolean }>(
      'toggle_like',
      `with gone as (delete from likes where user_id = $1 and video_id = $2 returning 1),
        come as (
          insert into likes (user_id, video_id)
          select $1, id from videos where id = $2 and ${SEEN} and not exists (select from gone)
          on conflict do nothing returning 1)
      update videos set like_count = like_count + (select count(*) from come) - (select count(*) from gone)
      where id = $2 and ${SEEN} returning like_count, not exists (select from gone) as liked`,
    ),
    addViews: prepared(
      'add_views',
      `with new_views as (
        insert into views (video_id, viewer, minute, at)
        select * from unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[])
        on conflict do nothing returning video_id)
      update videos set view_count = view_count + n.count
      from (select video_id, count(*) from new_views group by 1) n where id = n.video_id`,
    ),
  };
}
