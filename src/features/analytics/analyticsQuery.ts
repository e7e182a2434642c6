import { sql, type Kysely } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import { analytics } from '../../../projections/analytics.ts';
import type { ReadModels } from '../../../projections/index.ts';
import { counted, type Counted } from '../../../projections/videoCounts.ts';
import { ruleNameOf } from '../../../projections/viewRule.ts';
import { askColumnsInPlace } from '../../projecting/tables/columnsInPlace.ts';
import { variantInPlace } from '../../projecting/variantInPlace.ts';
import type { DayRange } from './dayRange.ts';
import type { NumbersOfRange } from './report.ts';

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
export async function analyticsOf(db: Kysely<ReadModels>, question: AnalyticsQuestion): Promise<NumbersOfRange> {
  const columns = counted.map((what) => `${what}s` as const);
  const { days, top, variant } = await askColumnsInPlace(
    db,
    { projection: analytics, table: 'daily', columns },
    (inPlace) =>
      // One statement, so one snapshot: with two, the totals could include a view that the top five do not.
      db
        .selectNoFrom([
          jsonArrayFrom(numbersByDay(db, question, inPlace)).as('days'),
          jsonArrayFrom(topVideos(db, question, inPlace)).as('top'),
          variantInPlace(analytics).as('variant'),
        ])
        .executeTakeFirstOrThrow(),
  );
  return { days, top, rule: ruleNameOf(variant) };
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

type CountColumn = `${Counted}s`;

function numbersByDay(db: Kysely<ReadModels>, question: AnalyticsQuestion, columns: readonly CountColumn[]) {
  // Only few rows have uploads: their videos are looked up, instead of a join that looks up a video for each row.
  const isReady = db
    .selectFrom('analytics.videos as v')
    .select('v.ready')
    .where('v.id', '=', sql.ref<string>('d.video_id'));
  return daysAsked(db, question)
    .select('d.day')
    .select(({ fn }) => columns.map((column) => fn.sum<number>(`d.${column}`).as(column)))
    .select(({ eb, fn, lit, and }) =>
      fn
        .coalesce(
          fn.sum<number>('d.uploads').filterWhere(and([eb('d.uploads', '>', lit(0)), eb(isReady, '=', lit(true))])),
          lit(0),
        )
        .as('uploads'),
    )
    .groupBy('d.day')
    .orderBy('d.day');
}

function topVideos(db: Kysely<ReadModels>, question: AnalyticsQuestion, columns: readonly CountColumn[]) {
  const counts = counted.filter((what) => columns.includes(`${what}s`));
  // The days are added up before titles are joined to them: an owner may have thousands of videos, with hundreds of days each.
  const sums = daysAsked(db, question)
    .select('d.video_id')
    .select(({ fn }) => counts.map((what) => fn.sum<number>(`d.${what}s`).as(`${what}Count`)))
    .groupBy('d.video_id');
  const byCounts = db
    .selectFrom(sums.as('c'))
    .innerJoin('analytics.videos as v', 'v.id', 'c.video_id')
    .where('v.ready', '=', sql.lit(true))
    .where('v.deleted', '=', sql.lit(false))
    .select(['v.id', 'v.title', ...counts.map((what) => `c.${what}Count` as const)]);
  return counts
    .reduce((query, what) => query.orderBy(`c.${what}Count`, 'desc'), byCounts)
    .orderBy('v.id', 'desc')
    .limit(sql.lit(5));
}
