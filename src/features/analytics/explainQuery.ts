import { sql, type Kysely } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import type { DailyNumber } from '../../../projections/analytics.ts';
import type { ReadModels } from '../../../projections/index.ts';
import { ownerDays, videoDays } from '../../../projections/timeline/tables.ts';
import { timeline } from '../../../projections/timeline/timeline.ts';
import { ruleNameOf } from '../../../projections/viewRule.ts';
import { variantInPlace } from '../../projecting/variantInPlace.ts';
import { rowsAsked, totalAt } from './asOf/totals.ts';

type Db = Kysely<ReadModels>;

export interface ExplainQuestion {
  readonly ownerId: string;
  readonly videoId?: string | undefined;
  readonly day: string;
  readonly number: DailyNumber;
  /** The number as it was at this position, which `timeline` must have passed. */
  readonly position: bigint;
}

export interface Explanation {
  /** The number: the sum of `by` of all its facts. */
  readonly count: number;
  readonly rule: string;
  /** In the order of the log. */
  readonly facts: readonly CountedFact[];
}

/** An event behind a number. */
export interface CountedFact {
  readonly position: bigint;
  readonly time: Date;
  readonly type: string;
  readonly videoId: string;
  /** How much it changed the number. */
  readonly by: number;
}

/**
 * A number, and the facts behind it after a position. One statement, so that the tables of a rebuild cannot take the place
 * of the old ones in the middle. An index has the facts of each page in their order, with and without a video.
 */
export async function explanationOf(
  db: Db,
  { ownerId, videoId, day, number, position }: ExplainQuestion,
  { after, limit }: { after: bigint; limit: number },
): Promise<Explanation> {
  const scope = videoId === undefined ? ownerDays : videoDays;
  const asked = rowsAsked(scope, { ownerId, videoId, start: day, end: day, position });
  const page = db
    .selectFrom('timeline.facts as f')
    .select(['time', 'type', 'video_id as videoId', 'by'])
    // As text, because a number in JSON cannot be as large as a position.
    .select(sql<string>`f.position::text`.as('position'))
    .where('owner_id', '=', ownerId)
    .where('day', '=', day)
    .where('number', '=', number)
    .where('f.position', '>', after)
    .where('f.position', '<=', position)
    .$if(videoId !== undefined, (query) => query.where('video_id', '=', videoId!))
    .orderBy('f.position')
    .limit(limit);
  const { count, variant, facts } = await db
    .selectNoFrom([
      sql<number | null>`(select ${totalAt(scope, position)} from ${asked} and t.number = ${number})`.as('count'),
      variantInPlace(timeline).as('variant'),
      jsonArrayFrom(page).as('facts'),
    ])
    .executeTakeFirstOrThrow();
  return {
    count: count ?? 0,
    rule: ruleNameOf(variant),
    facts: facts.map((fact) => ({ ...fact, time: new Date(fact.time), position: BigInt(fact.position) })),
  };
}

/** Everything up to this position is in `timeline`, and is final. */
export async function timelinePosition(db: Db): Promise<bigint> {
  const { rows } = await sql<{ position: bigint | null }>`
    select min(position) as position from timeline.checkpoints`.execute(db);
  return rows[0]?.position ?? 0n;
}
