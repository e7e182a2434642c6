import { sql, type Kysely } from 'kysely';
import type { RecordedEvent } from '../src/core/event.ts';
import type { LikeEvent } from '../src/features/likes/events.ts';
import type {
  VideoDeleted,
  VideoDetailsChanged,
  VideoProcessed,
  VideoUploaded,
} from '../src/features/videos/events.ts';
import type { VideoViewed } from '../src/features/views/events.ts';
import type { Projection } from '../src/projecting/projection.ts';
import { recordset } from '../src/projecting/recordset.ts';

/** What happened to a video on one day. A day without events has no row. */
export interface DailyRow {
  /** UUID. */
  owner_id: string;
  /** UUID. */
  video_id: string;
  /** UTC, `YYYY-MM-DD`. */
  day: string;
  views: number;
  /** Likes less unlikes of that day: may be negative. */
  likes: number;
  uploads: number;
}

export interface AnalyticsVideoRow {
  /** UUID. */
  id: string;
  /** UUID. */
  owner_id: string;
  title: string;
  /** It was processed, and could be played since. */
  ready: boolean;
  deleted: boolean;
  /** Of the video's stream. */
  revision: number;
}

export interface AnalyticsTables {
  daily: DailyRow;
  videos: AnalyticsVideoRow;
}

type AnalyticsEvent = VideoUploaded | VideoProcessed | VideoDetailsChanged | VideoDeleted | LikeEvent | VideoViewed;
type Event = RecordedEvent<AnalyticsEvent>;

/** Views, likes and uploads by the UTC day on which they happened. */
export const analytics: Projection<AnalyticsTables, AnalyticsEvent> = {
  name: 'analytics',
  version: 2,
  handles: [
    'VideoUploaded',
    'VideoProcessed',
    'VideoDetailsChanged',
    'VideoDeleted',
    'VideoLiked',
    'VideoUnliked',
    'VideoViewed',
  ],

  async createTables(db) {
    await db.schema
      .createTable('daily')
      .addColumn('owner_id', 'uuid', (column) => column.notNull())
      .addColumn('video_id', 'uuid', (column) => column.notNull())
      .addColumn('day', 'date', (column) => column.notNull())
      .addColumn('views', 'integer', (column) => column.notNull())
      .addColumn('likes', 'integer', (column) => column.notNull())
      .addColumn('uploads', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('daily_pkey', ['owner_id', 'day', 'video_id'])
      .execute();
    await db.schema
      .createTable('videos')
      .addColumn('id', 'uuid', (column) => column.primaryKey())
      .addColumn('owner_id', 'uuid', (column) => column.notNull())
      .addColumn('title', 'text', (column) => column.notNull())
      .addColumn('ready', 'boolean', (column) => column.notNull())
      .addColumn('deleted', 'boolean', (column) => column.notNull())
      .addColumn('revision', 'integer', (column) => column.notNull())
      .execute();
  },

  async apply(events, db) {
    await addToDays(dailyDeltas(events), db);
    await writeTitles(events, db);
    await markReady(events, db);
    await markDeleted(events, db);
  },
};

function dailyDeltas(events: readonly Event[]): DailyRow[] {
  const days = new Map<string, DailyRow>();
  for (const event of events) {
    const [column, delta] = dailyChange(event);
    if (column === undefined) continue;
    const { ownerId, videoId, at } = event.data as { ownerId: string; videoId: string; at: string };
    const day = at.slice(0, 10);
    const key = `${ownerId} ${day} ${videoId}`;
    const row = days.get(key) ?? { owner_id: ownerId, video_id: videoId, day, views: 0, likes: 0, uploads: 0 };
    row[column] += delta;
    days.set(key, row);
  }
  // A delta of zero is written as well: whether a row is there must not depend on how the log was cut into batches.
  return [...days.values()];
}

function dailyChange(event: Event): ['views' | 'likes' | 'uploads', number] | [undefined] {
  switch (event.type) {
    case 'VideoViewed':
      return ['views', 1];
    case 'VideoLiked':
      return ['likes', 1];
    case 'VideoUnliked':
      return ['likes', -1];
    case 'VideoUploaded':
      return ['uploads', 1];
    default:
      return [undefined];
  }
}

async function addToDays(days: readonly DailyRow[], db: Kysely<AnalyticsTables>): Promise<void> {
  if (days.length === 0) return;
  await sql`
    insert into daily (owner_id, video_id, day, views, likes, uploads)
    select owner_id, video_id, day, views, likes, uploads
    from ${recordset(days, 'owner_id uuid, video_id uuid, day date, views int, likes int, uploads int')}
    order by owner_id, day, video_id
    on conflict (owner_id, day, video_id) do update
    set views = daily.views + excluded.views, likes = daily.likes + excluded.likes, uploads = daily.uploads + excluded.uploads
  `.execute(db);
}

async function writeTitles(events: readonly Event[], db: Kysely<AnalyticsTables>): Promise<void> {
  const videos = new Map<string, object>();
  for (const event of events) {
    if (event.type !== 'VideoUploaded' && event.type !== 'VideoDetailsChanged') continue;
    const { videoId, ownerId, title } = event.data;
    videos.set(videoId, { id: videoId, owner_id: ownerId, title, revision: event.revision });
  }
  if (videos.size === 0) return;
  await sql`
    insert into videos (id, owner_id, title, ready, deleted, revision)
    select id, owner_id, title, false, false, revision
    from ${recordset([...videos.values()], 'id uuid, owner_id uuid, title text, revision int')}
    order by id
    on conflict (id) do update set title = excluded.title, revision = excluded.revision
    where excluded.revision > videos.revision
  `.execute(db);
}

/** For good, so it may come after what follows it in a batch. */
async function markReady(events: readonly Event[], db: Kysely<AnalyticsTables>): Promise<void> {
  const ready = events.flatMap((event) =>
    event.type === 'VideoProcessed' ? [{ id: event.data.videoId, revision: event.revision }] : [],
  );
  if (ready.length === 0) return;
  await sql`
    update videos set ready = true, revision = greatest(videos.revision, given.revision)
    from ${recordset(ready, 'id uuid, revision int')}
    where videos.id = given.id
  `.execute(db);
}

async function markDeleted(events: readonly Event[], db: Kysely<AnalyticsTables>): Promise<void> {
  const deleted = events.flatMap((event) =>
    event.type === 'VideoDeleted' ? [{ id: event.data.videoId, revision: event.revision }] : [],
  );
  if (deleted.length === 0) return;
  await sql`
    update videos set deleted = true, revision = given.revision
    from ${recordset(deleted, 'id uuid, revision int')}
    where videos.id = given.id and given.revision > videos.revision
  `.execute(db);
}
