import type { Kysely } from 'kysely';
import type { RecordedEvent } from '../../src/core/event.ts';
import type {
  NameChanged,
  UserForgotten,
  UserRegistered,
  UsernameChanged,
} from '../../src/features/accounts/events.ts';
import { videoEventTypes, type VideoEvent } from '../../src/features/videos/events.ts';
import { defineProjection } from '../../src/projecting/projection.ts';
import type { Database, NewRow } from '../../src/projecting/tables/table.ts';
import { upsert } from '../../src/projecting/tables/upsert.ts';
import { streamSubject } from '../streamSubject.ts';
import {
  countChanges,
  counted,
  countedEventTypes,
  countsVersion,
  eachCount,
  type Countable,
  type Counted,
  type CountedEvent,
} from '../videoCounts.ts';
import { evolveVideo, isListed } from './evolveVideo.ts';
import { authorsTable, countsTable, totalsTable, videosTable, type VideoRow } from './tables.ts';

type AuthorEvent = UserRegistered | NameChanged | UsernameChanged | UserForgotten;
type Event = RecordedEvent<VideoEvent | AuthorEvent | CountedEvent>;

const tables = [videosTable, countsTable, authorsTable, totalsTable] as const;
type Db = Kysely<Database<typeof tables>>;

/** The feed, a single video, its neighbours and its counts. */
export const videos = defineProjection({
  name: 'videos',
  version: 5 + countsVersion,
  tables,
  handles: [
    'VideoUploaded',
    'VideoProcessed',
    'VideoProcessingFailed',
    'VideoProcessingRetried',
    'VideoDetailsChanged',
    'VideoVisibilityChanged',
    'VideoFilesMoved',
    'VideoLadderMade',
    'VideoStoryboardMade',
    'VideoPreviewMade',
    'VideoHidden',
    'VideoRestored',
    'VideoRemoved',
    'VideoDeleted',
    'VideoTextErased',
    'UserRegistered',
    'NameChanged',
    'UsernameChanged',
    'UserForgotten',
    ...countedEventTypes,
  ],
  independentBy: streamSubject,

  async apply(events: readonly Event[], db) {
    await writeAuthors(events, db);
    await addToCounts(events, db);
    await writeVideos(events.filter(isVideoEvent), db);
  },
});

const isVideoEvent = (event: Event): event is RecordedEvent<VideoEvent> => event.type in videoEventTypes;

async function writeAuthors(events: readonly Event[], db: Db): Promise<void> {
  const authors = new Map<string, NewRow<typeof authorsTable>>();
  const changes = new Map<string, Partial<NewRow<typeof authorsTable>>>();
  const forgotten = new Set<string>();
  for (const { type, data } of events) {
    if (type === 'UserRegistered') {
      const { userId, name, username } = data;
      authors.set(userId, { user_id: userId, name, username });
    } else if (type === 'NameChanged') changes.set(data.userId, { ...changes.get(data.userId), name: data.name });
    else if (type === 'UsernameChanged')
      changes.set(data.userId, { ...changes.get(data.userId), username: data.username });
    else if (type === 'UserForgotten') forgotten.add(data.userId);
  }
  await upsert(db, authorsTable, [...authors.values()]);
  // Few and far between.
  for (const [userId, set] of changes) await db.updateTable('authors').set(set).where('user_id', '=', userId).execute();
  for (const userId of forgotten) await db.deleteFrom('authors').where('user_id', '=', userId).execute();
}

async function addToCounts(events: readonly Event[], db: Db): Promise<void> {
  const deltas = new Map<string, { video_id: string } & Record<`${Counted}_count`, number>>();
  for (const { type, data } of events) {
    for (const { what, by } of countChanges(type)) {
      const { videoId } = data as Countable;
      let delta = deltas.get(videoId);
      if (delta === undefined) deltas.set(videoId, (delta = { video_id: videoId, ...eachCount('_count', () => 0) }));
      delta[`${what}_count`] += by;
    }
  }
  await upsert(db, countsTable, [...deltas.values()], { add: counted.map((what) => `${what}_count` as const) });
}

async function writeVideos(events: readonly RecordedEvent<VideoEvent>[], db: Db): Promise<void> {
  if (events.length === 0) return;
  const ids = new Set(events.map((event) => event.data.videoId));
  const found = await db
    .selectFrom('videos')
    .selectAll()
    .where('id', '=', (eb) => eb.fn.any(eb.val([...ids])))
    .execute();
  const before = new Map(found.map((row) => [row.id, row]));
  const after = new Map<string, VideoRow>(before);
  for (const event of events) after.set(event.data.videoId, evolveVideo(after.get(event.data.videoId), event));

  const changed = [...after.values()].filter((row) => before.get(row.id) !== row);
  await upsert(db, videosTable, changed, { keep: ['owner_id', 'created_at'] });

  const listed = changed.reduce((sum, row) => sum + Number(isListed(row)) - Number(isListed(before.get(row.id))), 0);
  if (listed !== 0) await upsert(db, totalsTable, [{ one: true, ready: listed }], { add: ['ready'] });
}
