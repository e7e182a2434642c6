import type pg from 'pg';
import type { DayRange } from './dayRange.ts';

export interface AnalyticsQuestion extends DayRange {
  readonly ownerId: string;
  /** Of this video alone. */
  readonly videoId?: string | undefined;
}

export interface DayCount {
  readonly date: string;
  readonly count: number;
}

export interface AnalyticsReport {
  readonly totalViews: number;
  readonly totalLikes: number;
  readonly totalUploads: number;
  readonly viewsOverTime: readonly DayCount[];
  readonly likesOverTime: readonly DayCount[];
  readonly topVideos: readonly {
    readonly id: string;
    readonly title: string;
    readonly viewCount: number;
    readonly likeCount: number;
  }[];
  readonly engagementRate: number;
}

interface Row {
  readonly days: readonly {
    readonly day: string;
    readonly views: number;
    readonly likes: number;
    readonly uploads: number;
  }[];
  readonly top: AnalyticsReport['topVideos'];
}

const WITHIN = `d.owner_id = $1 and d.day between $2::date and $3::date and ($4::uuid is null or d.video_id = $4)`;

/** One statement, so one snapshot: with two, the totals could know a view that the top five do not. */
const REPORT = `
  with days as (
    select to_char(d.day, 'YYYY-MM-DD') as day, sum(d.views)::int as views, sum(d.likes)::int as likes,
      coalesce(sum(d.uploads) filter (where v.ready), 0)::int as uploads
    from analytics.daily d left join analytics.videos v on v.id = d.video_id where ${WITHIN} group by d.day
  ), top as (
    select v.id, v.title, sum(d.views)::int as "viewCount", sum(d.likes)::int as "likeCount"
    from analytics.daily d join analytics.videos v on v.id = d.video_id and v.ready and not v.deleted
    where ${WITHIN} group by v.id, v.title
    order by sum(d.views) desc, sum(d.likes) desc, v.id desc limit 5
  )
  select
    (select coalesce(json_agg(days order by day), '[]') from days) as days,
    (select coalesce(json_agg(top order by "viewCount" desc, "likeCount" desc, id desc), '[]') from top) as top`;

/**
 * What happened to a user's videos in a range of days. Days on which nothing of a kind happened are left out; likes
 * are less unlikes, so a day, and even a range, may be below zero. An upload counts once it could be processed. A deleted
 * video's past still counts in the totals, but the top five are videos that one can still go to.
 */
export async function analyticsOf(
  pool: pg.Pool,
  { ownerId, start, end, videoId }: AnalyticsQuestion,
): Promise<AnalyticsReport> {
  const { rows } = await pool.query<Row>({
    name: 'analytics',
    text: REPORT,
    values: [ownerId, start, end, videoId ?? null],
  });
  const { days, top } = rows[0]!;
  const total = (kind: 'views' | 'likes' | 'uploads'): number => days.reduce((sum, day) => sum + day[kind], 0);
  const overTime = (kind: 'views' | 'likes'): DayCount[] =>
    days.filter((day) => day[kind] !== 0).map((day) => ({ date: day.day, count: day[kind] }));
  const totalViews = total('views');
  const totalLikes = total('likes');
  return {
    totalViews,
    totalLikes,
    totalUploads: total('uploads'),
    viewsOverTime: overTime('views'),
    likesOverTime: overTime('likes'),
    topVideos: top,
    // Not rounded: the seed's clients do that themselves.
    engagementRate: totalViews === 0 ? 0 : (totalLikes / totalViews) * 100,
  };
}
