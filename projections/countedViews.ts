import { hash } from 'node:crypto';
import { CompiledQuery, type Kysely } from 'kysely';
import type { RecordedEvent } from '../src/core/event.ts';
import type { VideoViewed } from '../src/features/views/events.ts';
import { date, int8, table, uuid, type NewRow } from '../src/projecting/tables/table.ts';
import { definitions } from '../src/projecting/tables/recordset.ts';
import { dayOf, type RecordedView, type ViewRule } from './viewRule.ts';

/**
 * The views that a rule with `oncePerDay` has counted. A projection that uses `countedViews` has this table. Rows are never
 * removed, because a view of any day may be recorded late. Under other rules the table stays empty.
 */
export const viewers = table(
  'viewers',
  {
    video_id: uuid,
    day: date,
    /** `keyHash` of the rule's key. */
    key: int8,
    /** Of the view that counts: the first in the log with this key. */
    position: int8,
  },
  { primaryKey: ['video_id', 'day', 'key'] },
);

/**
 * The events without the views that do not count under the rule, in their order. Remembers the views that count. All views
 * of a video and day are in one stream, so how the log is cut into batches makes no difference.
 */
export async function countedViews<Event extends RecordedEvent>(
  events: readonly Event[],
  db: Pick<Kysely<never>, 'executeQuery'>,
  { counts, oncePerDay }: ViewRule,
): Promise<readonly Event[]> {
  const accepted = counts === undefined ? events : events.filter((event) => !isView(event) || counts(event.data));
  if (oncePerDay === undefined) return accepted;
  const firsts = await rememberFirsts(firstsOf(accepted, oncePerDay), db);
  return accepted.filter((event) => !isView(event) || firsts.has(event.position));
}

/** The hash of a key: 64 bits, so that two keys of one video and day have the same in one case of 10^7, at 10^6 viewers. */
export function keyHash(key: string): bigint {
  return hash('sha256', key, 'buffer').readBigInt64BE();
}

const isView = (event: RecordedEvent): event is RecordedEvent<VideoViewed> => event.type === 'VideoViewed';

/** A row for the first view of the batch with each key. */
function firstsOf(events: readonly RecordedEvent[], keyOf: (view: RecordedView) => string): NewRow<typeof viewers>[] {
  const firsts = new Map<string, NewRow<typeof viewers>>();
  for (const event of events) {
    if (!isView(event)) continue;
    const { data, position } = event;
    const day = dayOf(data);
    const key = keyOf(data);
    const of = `${data.videoId} ${day} ${key}`;
    if (!firsts.has(of))
      firsts.set(of, { video_id: data.videoId, day, key: String(keyHash(key)), position: String(position) });
  }
  return [...firsts.values()];
}

/** Returns the positions of the rows that are new: the views that nothing earlier in the log makes repeats. */
async function rememberFirsts(
  rows: readonly NewRow<typeof viewers>[],
  db: Pick<Kysely<never>, 'executeQuery'>,
): Promise<ReadonlySet<bigint>> {
  if (rows.length === 0) return new Set();
  const inserted = await db.executeQuery<{ position: bigint }>(CompiledQuery.raw(STATEMENT, [JSON.stringify(rows)]));
  return new Set(inserted.rows.map(({ position }) => position));
}

/** Rows are written in the order of the key, so that two writers cannot deadlock. */
const STATEMENT = `
  insert into viewers (video_id, day, key, position)
  select video_id, day, key, position from json_to_recordset($1::json) as given(${definitions(viewers.columns)})
  order by video_id, day, key
  on conflict (video_id, day, key) do nothing
  returning position`;
