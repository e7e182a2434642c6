import { sql, type Kysely } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import type { DailyNumber } from '../../../projections/analytics.ts';
import type { ReadModels } from '../../../projections/index.ts';
import { counted, eachCount } from '../../../projections/videoCounts.ts';
import type { DayRange } from './dayRange.ts';
import { eachTotal, type AnalyticsReport, type DayCount } from './report.ts';

export interface AnalyticsQuestion extends DayRange {
  readonly ownerId: string;
  /** Of this video alone. */
  readonly videoId?: string | undefined;
}

/**
 * What happened to a user's videos in a range of days. Days on which nothing of a kind happened are left out; likes
 * are less unlikes, so a day, and even a range, may be below zero. An upload counts once it has been processed. What
 * happened to a deleted video still counts in the totals, but the top five are videos that exist.
 */
export async function analyticsOf(db: Kysely<ReadModels>, question: AnalyticsQuestion): Promise<AnalyticsReport> {
  // One statement, so one snapshot: with two, the totals could include a view that the top five do not.
  const { days, top } = await db
    .selectNoFrom([
      jsonArrayFrom(numbersByDay(db, question)).as('days'),
      jsonArrayFrom(topVideos(db, question)).as('top'),
    ])
    .executeTakeFirstOrThrow();
  const total = (number: DailyNumber): number => days.reduce((sum, day) => sum + day[number], 0);
  const overTime = (number: DailyNumber): DayCount[] =>
    days.filter((day) => day[number] !== 0).map((day) => ({ date: day.day, count: day[number] }));
  const totals = eachTotal(total);
  return {
    ...totals,
    ...eachCount('sOverTime', (what) => overTime(`${what}s`)),
    topVideos: top,
    // Not rounded: the clients of the original server do that themselves.
    engagementRate: totals.totalViews === 0 ? 0 : (totals.totalLikes / totals.totalViews) * 100,
  };
}

/** The rows that the question is about: one for each day and video. */
function daysAsked(db: Kysely<ReadModels>, { ownerId, start, end, videoId }: AnalyticsQuestion) {
  return db
    .selectFrom('analytics.daily as d')
    .where('d.owner_id', '=', ownerId)
    .where('d.day', '>=', start)
    .where('d.day', '<=', end)
    .$if(videoId !== undefined, (query) => query.where('d.video_id', '=', videoId!));
}

function numbersByDay(db: Kysely<ReadModels>, question: AnalyticsQuestion) {
  return daysAsked(db, question)
    .leftJoin('analytics.videos as v', 'v.id', 'd.video_id')
    .select('d.day')
    .select(({ fn }) => counted.map((what) => fn.sum<number>(`d.${what}s`).as(`${what}s`)))
    .select(({ fn, lit }) =>
      fn.coalesce(fn.sum<number>('d.uploads').filterWhere('v.ready', '=', lit(true)), lit(0)).as('uploads'),
    )
    .groupBy('d.day')
    .orderBy('d.day');
}

function topVideos(db: Kysely<ReadModels>, question: AnalyticsQuestion) {
  const byCounts = daysAsked(db, question)
    .innerJoin('analytics.videos as v', 'v.id', 'd.video_id')
    .where('v.ready', '=', sql.lit(true))
    .where('v.deleted', '=', sql.lit(false))
    .select(['v.id', 'v.title'])
    .select(({ fn }) => counted.map((what) => fn.sum<number>(`d.${what}s`).as(`${what}Count`)))
    .groupBy(['v.id', 'v.title']);
  return counted
    .reduce((query, what) => query.orderBy(`${what}Count`, 'desc'), byCounts)
    .orderBy('v.id', 'desc')
    .limit(sql.lit(5));
}
