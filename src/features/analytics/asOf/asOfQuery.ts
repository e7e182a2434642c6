import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { ReadModels } from '../../../../projections/index.ts';
import { ownerDays, videoDays } from '../../../../projections/timeline/tables.ts';
import { timeline } from '../../../../projections/timeline/timeline.ts';
import { ruleNameOf } from '../../../../projections/viewRule.ts';
import { variantInPlace } from '../../../projecting/variantInPlace.ts';
import type { AnalyticsQuestion } from '../analyticsQuery.ts';
import type { DayNumbers, NumbersOfRange, TopVideo } from '../report.ts';
import { bestOfAll, mostViewed, TOP } from './topVideos.ts';
import { rowsAsked, totalAt } from './totals.ts';

type Db = Kysely<ReadModels>;

/** What `analyticsOf` answered when the log ended at this position. `timeline` must have passed it. */
export async function analyticsAsOf(db: Db, question: AnalyticsQuestion, position: bigint): Promise<NumbersOfRange> {
  const past = { ...question, position, isWhole: await coversAllDays(db, question) };
  const found = await ask(db, past, mostViewed(past));
  // With fewer, videos without views are among the top five.
  return found.top.length === TOP ? found : ask(db, past, bestOfAll(past));
}

/** A question about a position. */
export interface PastQuestion extends AnalyticsQuestion {
  readonly position: bigint;
  /** Whether the range has all days on which anything happened to the owner's videos: then totals need no days. */
  readonly isWhole: boolean;
}

/** One statement, so that the tables of a rebuild cannot take the place of the old ones in the middle. */
async function ask(db: Db, question: PastQuestion, top: RawBuilder<TopVideo>): Promise<NumbersOfRange> {
  const { rows } = await sql<{
    days: readonly { day: string; numbers: Omit<DayNumbers, 'day'> }[];
    top: TopVideo[];
    variant: string;
  }>`
    select (select coalesce(json_agg(d), '[]') from (${numbersByDay(question)}) d) as days,
      (select coalesce(json_agg(b), '[]') from (${top}) b) as top,
      ${variantInPlace(timeline)} as variant`.execute(db);
  const { days, variant, ...found } = rows[0]!;
  return { ...found, days: days.map(({ day, numbers }) => ({ day, ...numbers })), rule: ruleNameOf(variant) };
}

function numbersByDay(question: PastQuestion): RawBuilder<unknown> {
  const scope = question.videoId === undefined ? ownerDays : videoDays;
  return sql`
    select t.day, json_object_agg(t.number, ${totalAt(scope, question.position)}) as numbers
    from ${rowsAsked(scope, question)} group by t.day order by t.day`;
}

async function coversAllDays(db: Db, { ownerId, start, end }: AnalyticsQuestion): Promise<boolean> {
  const { first, last } = await db
    .selectFrom('timeline.owner_days')
    .where('owner_id', '=', ownerId)
    .select(({ fn }) => [fn.min('day').as('first'), fn.max('day').as('last')])
    .executeTakeFirstOrThrow();
  return first === null || (start <= first && last <= end);
}
