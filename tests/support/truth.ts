import type pg from 'pg';

/** What an answer of the analytics must be, counted by SQL from the events themselves. */
export interface Truth {
  readonly totalViews: number;
  readonly totalLikes: number;
  readonly totalUploads: number;
  readonly viewsOverTime: readonly { readonly date: string; readonly count: number }[];
}

export interface TruthQuestion {
  readonly ownerId: string;
  /** Days, both included. */
  readonly from: string;
  readonly to: string;
  /** The last event that counts. */
  readonly position: bigint;
}

export async function truthOf(pool: pg.Pool, question: TruthQuestion): Promise<Truth> {
  const { ownerId, from, to, position } = question;
  const { rows } = await pool.query<{ day: string; views: number; likes: number; uploads: number }>(
    `select left(data ->> 'at', 10) as day,
       (count(*) filter (where type = 'VideoViewed'))::int as views,
       (count(*) filter (where type = 'VideoLiked') - count(*) filter (where type = 'VideoUnliked'))::int as likes,
       (count(*) filter (where type = 'VideoUploaded' and exists (select from reelstream.events p
         where p.stream = e.stream and p.type = 'VideoProcessed' and p.position <= $4)))::int as uploads
     from reelstream.events e
     where data ->> 'ownerId' = $1 and left(data ->> 'at', 10) between $2 and $3 and position <= $4
       and type in ('VideoViewed', 'VideoLiked', 'VideoUnliked', 'VideoUploaded')
     group by 1 order by 1`,
    [ownerId, from, to, position],
  );
  const sum = (column: 'views' | 'likes' | 'uploads'): number => rows.reduce((total, row) => total + row[column], 0);
  return {
    totalViews: sum('views'),
    totalLikes: sum('likes'),
    totalUploads: sum('uploads'),
    viewsOverTime: rows.filter(({ views }) => views > 0).map(({ day, views }) => ({ date: day, count: views })),
  };
}

/** Views by day of all videos: as recorded, and counting each viewer of a video once a day. */
export async function viewsByRule(
  pool: pg.Pool,
  { from, to }: Pick<TruthQuestion, 'from' | 'to'>,
): Promise<{ day: string; counted: number; unique: number }[]> {
  const { rows } = await pool.query<{ day: string; counted: number; unique: number }>(
    `select left(data ->> 'at', 10) as day, count(*)::int as counted,
       count(distinct (data ->> 'videoId', data ->> 'viewer'))::int as unique
     from reelstream.events where type = 'VideoViewed' and left(data ->> 'at', 10) between $1 and $2
     group by 1 order by 1`,
    [from, to],
  );
  return rows;
}

/** Moments spread over the log: the times of events at equal distances. */
export async function momentsOf(pool: pg.Pool, count: number): Promise<string[]> {
  const { rows } = await pool.query<{ moment: Date }>(
    `select e.time as moment from (select max(position) as head from reelstream.events) h,
       generate_series(1, $1::int) n join lateral (select time from reelstream.events where position = greatest(1, head * n / ($1 + 1))) e on true`,
    [count],
  );
  return rows.map(({ moment }) => moment.toISOString());
}

/** The position at which the log stood at a moment. */
export async function positionAt(pool: pg.Pool, moment: string): Promise<bigint> {
  const { rows } = await pool.query<{ position: bigint }>(
    'select coalesce(max(position), 0) as position from reelstream.events where time <= $1',
    [moment],
  );
  return BigInt(rows[0]!.position);
}
