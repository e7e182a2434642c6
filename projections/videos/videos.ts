import { sql, type Kysely } from 'kysely';
import type { RecordedEvent } from '../../src/core/event.ts';
import type { UserRegistered } from '../../src/features/accounts/events.ts';
import type { LikeEvent } from '../../src/features/likes/events.ts';
import type { Projection } from '../../src/projecting/projection.ts';
import { recordset } from '../../src/projecting/recordset.ts';
import { videoEventTypes, type VideoEvent } from '../../src/features/videos/events.ts';
import type { VideoViewed } from '../../src/features/views/events.ts';
import { evolveVideo, isListed } from './evolveVideo.ts';
import { createVideosTables, type VideoRow, type VideosTables } from './tables.ts';

type FeedEvent = VideoEvent | LikeEvent | VideoViewed | UserRegistered;
type Event = RecordedEvent<FeedEvent>;

/** The feed, a single video, its neighbours and its counts. */
export const videos: Projection<VideosTables, FeedEvent> = {
  name: 'videos',
  version: 1,
  handles: [
    'VideoUploaded',
    'VideoProcessed',
    'VideoProcessingFailed',
    'VideoProcessingRetried',
    'VideoDetailsChanged',
    'VideoDeleted',
    'VideoLiked',
    'VideoUnliked',
    'VideoViewed',
    'UserRegistered',
  ],
  createTables: createVideosTables,

  async apply(events, db) {
    await writeAuthors(events, db);
    await addToCounts(events, db);
    await writeVideos(events.filter(isVideoEvent), db);
  },
};

const isVideoEvent = (event: Event): event is RecordedEvent<VideoEvent> => event.type in videoEventTypes;

async function writeAuthors(events: readonly Event[], db: Kysely<VideosTables>): Promise<void> {
  const authors = new Map<string, object>();
  for (const event of events) {
    if (event.type !== 'UserRegistered') continue;
    const { userId, name, username } = event.data;
    authors.set(userId, { user_id: userId, name, username });
  }
  if (authors.size === 0) return;
  await sql`
    insert into authors (user_id, name, username)
    select user_id, name, username from ${recordset([...authors.values()], 'user_id uuid, name text, username text')}
    order by user_id
    on conflict (user_id) do update set name = excluded.name, username = excluded.username
  `.execute(db);
}

async function addToCounts(events: readonly Event[], db: Kysely<VideosTables>): Promise<void> {
  const counts = new Map<string, { video_id: string; views: number; likes: number }>();
  for (const event of events) {
    if (event.type !== 'VideoLiked' && event.type !== 'VideoUnliked' && event.type !== 'VideoViewed') continue;
    const { videoId } = event.data;
    const count = counts.get(videoId) ?? { video_id: videoId, views: 0, likes: 0 };
    if (event.type === 'VideoViewed') count.views++;
    else count.likes += event.type === 'VideoLiked' ? 1 : -1;
    counts.set(videoId, count);
  }
  if (counts.size === 0) return;
  await sql`
    insert into counts (video_id, view_count, like_count)
    select video_id, views, likes from ${recordset([...counts.values()], 'video_id uuid, views int, likes int')}
    order by video_id
    on conflict (video_id) do update
    set view_count = counts.view_count + excluded.view_count, like_count = counts.like_count + excluded.like_count
  `.execute(db);
}

async function writeVideos(events: readonly RecordedEvent<VideoEvent>[], db: Kysely<VideosTables>): Promise<void> {
  if (events.length === 0) return;
  const ids = new Set(events.map((event) => event.data.videoId));
  const found = await db
    .selectFrom('videos')
    .selectAll()
    .where('id', '=', sql<string>`any(${[...ids]}::uuid[])`)
    .execute();
  const before = new Map(found.map((row) => [row.id, row]));
  const after = new Map<string, VideoRow>(before);
  for (const event of events) after.set(event.data.videoId, evolveVideo(after.get(event.data.videoId), event));

  const changed = [...after.values()].filter((row) => before.get(row.id) !== row);
  if (changed.length === 0) return;
  await sql`
    insert into videos
    select * from json_populate_recordset(null::videos, ${JSON.stringify(changed)}::json)
    order by id
    on conflict (id) do update
    set (title, description, status, video_key, thumbnail_key, duration, width, height, failure, updated_at, deleted_at, revision)
      = row(excluded.title, excluded.description, excluded.status, excluded.video_key, excluded.thumbnail_key, excluded.duration,
            excluded.width, excluded.height, excluded.failure, excluded.updated_at, excluded.deleted_at, excluded.revision)
  `.execute(db);

  const listed = changed.reduce((sum, row) => sum + Number(isListed(row)) - Number(isListed(before.get(row.id))), 0);
  if (listed !== 0) await sql`update totals set ready = ready + ${listed}::int8`.execute(db);
}
