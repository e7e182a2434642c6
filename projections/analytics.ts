import type { Kysely } from 'kysely';
import type { RecordedEvent } from '../src/core/event.ts';
import type {
  VideoDeleted,
  VideoDetailsChanged,
  VideoProcessed,
  VideoUploaded,
} from '../src/features/videos/events.ts';
import { defineProjection } from '../src/projecting/projection.ts';
import { recordset } from '../src/projecting/tables/recordset.ts';
import {
  boolean,
  date,
  integer,
  table,
  text,
  uuid,
  type Database,
  type NewRow,
} from '../src/projecting/tables/table.ts';
import { upsert } from '../src/projecting/tables/upsert.ts';
import { countedViews, viewers } from './countedViews.ts';
import type { ReadModelSettings } from './settings.ts';
import { streamSubject } from './streamSubject.ts';
import {
  countChanges,
  counted,
  countedEventTypes,
  countsVersion,
  eachCount,
  type Countable,
  type CountedEvent,
} from './videoCounts.ts';
import { variantOf } from './viewRule.ts';

/** What happened to a video on one day. A day without events has no row. */
const daily = table(
  'daily',
  {
    owner_id: uuid,
    video_id: uuid,
    /** UTC. */
    day: date,
    // Likes are likes less unlikes of that day, so they may be negative.
    ...eachCount('s', () => integer),
    uploads: integer,
  },
  { primaryKey: ['owner_id', 'day', 'video_id'] },
);

const videos = table(
  'videos',
  {
    id: uuid,
    owner_id: uuid,
    title: text,
    /** Set once the video has been processed; it never becomes false again. */
    ready: boolean,
    deleted: boolean,
    /** Last revision of the video's stream that is in the row. */
    revision: integer,
  },
  { primaryKey: ['id'] },
);

const tables = [daily, videos, viewers] as const;
type Db = Kysely<Database<typeof tables>>;
type Event = RecordedEvent<VideoUploaded | VideoProcessed | VideoDetailsChanged | VideoDeleted | CountedEvent>;

/** Views, likes and uploads by the UTC day on which they happened. Of the views, those that the live view rule counts. */
export const analytics = defineProjection({
  name: 'analytics',
  version: 3 + countsVersion,
  variant: ({ viewRule }: ReadModelSettings) => variantOf(viewRule),
  tables,
  handles: ['VideoUploaded', 'VideoProcessed', 'VideoDetailsChanged', 'VideoDeleted', ...countedEventTypes],
  independentBy: streamSubject,

  async apply(recorded: readonly Event[], db, { viewRule }) {
    const events = await countedViews(recorded, db, viewRule);
    // A delta of zero is written as well: whether a row exists must not depend on how the log was cut into batches.
    await upsert(db, daily, dailyDeltas(events), { add: dailyNumbers });
    await writeTitles(events, db);
    await markReady(events, db);
    await markDeleted(events, db);
  },
});

/** The columns of `analytics.daily` that are numbers of a day. */
export const dailyNumbers = [...counted.map((what) => `${what}s` as const), 'uploads'] as const;

export type DailyNumber = (typeof dailyNumbers)[number];

type DailyDelta = NewRow<typeof daily> & Record<DailyNumber, number>;

function dailyDeltas(events: readonly Event[]): DailyDelta[] {
  const days = new Map<string, DailyDelta>();
  const dayOf = ({ ownerId, videoId, at }: Countable): DailyDelta => {
    const day = at.slice(0, 10);
    const key = `${ownerId} ${day} ${videoId}`;
    const row = days.get(key) ?? { owner_id: ownerId, video_id: videoId, day, ...eachCount('s', () => 0), uploads: 0 };
    days.set(key, row);
    return row;
  };
  for (const { data, what, by } of countChanges(events)) dayOf(data)[`${what}s`] += by;
  for (const { type, data } of events) if (type === 'VideoUploaded') dayOf(data).uploads++;
  return [...days.values()];
}

async function writeTitles(events: readonly Event[], db: Db): Promise<void> {
  const rows = new Map<string, NewRow<typeof videos>>();
  for (const event of events) {
    if (event.type !== 'VideoUploaded' && event.type !== 'VideoDetailsChanged') continue;
    const { videoId, ownerId, title } = event.data;
    const { revision } = event;
    rows.set(videoId, { id: videoId, owner_id: ownerId, title, ready: false, deleted: false, revision });
  }
  const onConflict = { keep: ['owner_id', 'ready', 'deleted'], onlyIfGreater: 'revision' } as const;
  await upsert(db, videos, [...rows.values()], onConflict);
}

/** A ready video never becomes unready, so this may be applied after later events of the batch. */
async function markReady(events: readonly Event[], db: Db): Promise<void> {
  const ready = lastOfEach(events, 'VideoProcessed');
  if (ready.length === 0) return;
  await db
    .updateTable('videos')
    .from(recordset(change, ready))
    .set((eb) => ({ ready: true, revision: eb.fn<number>('greatest', ['videos.revision', 'given.revision']) }))
    .whereRef('videos.id', '=', 'given.id')
    .execute();
}

async function markDeleted(events: readonly Event[], db: Db): Promise<void> {
  const deleted = lastOfEach(events, 'VideoDeleted');
  if (deleted.length === 0) return;
  await db
    .updateTable('videos')
    .from(recordset(change, deleted))
    .set((eb) => ({ deleted: true, revision: eb.ref('given.revision') }))
    .whereRef('videos.id', '=', 'given.id')
    .whereRef('given.revision', '>', 'videos.revision')
    .execute();
}

const change = { id: videos.columns.id, revision: videos.columns.revision };

/** The last event of this type of each video. */
function lastOfEach(events: readonly Event[], type: 'VideoProcessed' | 'VideoDeleted'): NewRow<typeof change>[] {
  const last = new Map<string, NewRow<typeof change>>();
  for (const event of events) {
    if (event.type !== type) continue;
    const id = event.data.videoId;
    last.set(id, { id, revision: event.revision });
  }
  return [...last.values()];
}
