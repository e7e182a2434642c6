import { sql, type RawBuilder } from 'kysely';
import { videoDays, videoTotals, type Scope } from '../../../../projections/timeline/tables.ts';
import { counted, type Counted } from '../../../../projections/videoCounts.ts';
import type { TopVideo } from '../report.ts';
import type { PastQuestion } from './asOfQuery.ts';
import { rowsAsked, totalAt } from './totals.ts';

/** How many top videos there are. */
export const TOP = 5;

/** How many of the videos that are most viewed today give the lower bound. */
const SAMPLE = 50;

/**
 * The top five if at least five videos had views; fewer rows otherwise. Views never become fewer, so a video had no more
 * then than it has now: a few of those with the most give a lower bound for the fifth, and only videos that have reached
 * it are looked up in the past. An owner may have tens of thousands of videos.
 */
export function mostViewed(question: PastQuestion): RawBuilder<TopVideo> {
  const { position } = question;
  const scope = scopeOf(question);
  const asked = (what: Counted) => sql`${rowsAsked(scope, question)} and t.number = ${`${what}s`}`;
  const viewsThen = (videos: RawBuilder<unknown>) => sql`
    select t.video_id, sum(${totalAt(scope, position)})::int as views
    from views t join ${videos} c on c.video_id = t.video_id join timeline.videos v on v.id = t.video_id
    where ${existed(position)} group by t.video_id`;
  const otherCounts = counted
    .filter((what) => what !== 'view')
    .map(
      (what) => sql`coalesce((
        select sum(${totalAt(scope, position)}) from ${asked(what)} and t.video_id = best.video_id), 0)::int
        as ${countOf(what)}`,
    );
  return sql`
    with views as materialized (select t.* from ${asked('view')}),
    today as materialized (select video_id, sum(total) as views from views group by video_id),
    sample as (${viewsThen(sql`(select video_id from today order by views desc limit ${SAMPLE})`)}),
    bound as (select coalesce((select views from sample order by views desc offset ${TOP - 1} limit 1), 0) as views),
    ranked as (
      select *, rank() over (order by views desc) as rank
      from (${viewsThen(sql`(select video_id from today where views >= (select views from bound))`)}) counts),
    best as (
      select best.video_id as id, best.views as "viewCount", ${sql.join(otherCounts)}
      from ranked best where rank <= ${TOP})
    select *, ${titleThen(position)} as title from best order by ${inOrder('best')} limit ${TOP}`;
}

/** The top five, from the counts of all videos. */
export function bestOfAll(question: PastQuestion): RawBuilder<TopVideo> {
  const { position } = question;
  const scope = scopeOf(question);
  const sums = counted.map(
    (what) => sql`coalesce(sum(total) filter (where number = ${`${what}s`}), 0)::int as ${countOf(what)}`,
  );
  return sql`
    with best as (
      select v.id, ${sql.join(counted.map(countOf))}
      from (
        select video_id, ${sql.join(sums)}
        from (select t.video_id, t.number, ${totalAt(scope, position)} as total
              from ${rowsAsked(scope, question)}) totals
        group by video_id) counts
      join timeline.videos v on v.id = counts.video_id
      where ${existed(position)} order by ${inOrder('v')} limit ${TOP})
    select *, ${titleThen(position)} as title from best order by ${inOrder('best')}`;
}

const scopeOf = ({ isWhole }: PastQuestion): Scope => (isWhole ? videoTotals : videoDays);

const countOf = (what: Counted): RawBuilder<unknown> => sql.ref(`${what}Count`);

/** By the counts, then newest first. */
const inOrder = (table: string): RawBuilder<unknown> =>
  sql`${sql.join(counted.map((what) => sql`${countOf(what)} desc`))}, ${sql.ref(`${table}.id`)} desc`;

/** Whether a video `v` was ready and not deleted. */
const existed = (position: bigint): RawBuilder<unknown> =>
  sql`v.ready_position <= ${position} and (v.deleted_position is null or v.deleted_position > ${position})`;

/** Empty when it was erased later. */
const titleThen = (position: bigint): RawBuilder<unknown> => sql`coalesce((
  select title from timeline.titles where video_id = best.id and position <= ${position} order by position desc limit 1), '')`;
