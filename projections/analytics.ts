import type { Kysely } from 'kysely';
import type { RecordedEvent } from '../src/core/event.ts';
import type {
  VideoDeleted,
  VideoDetailsChanged,
  VideoProcessed,
  VideoTextErased,
  VideoUploaded,
} from '../src/features/videos/events.ts';
import { defineProjection } from '../src/projecting/projection.ts';
import {
  boolean,
  date,
  integer,
  personal,
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
    title: personal(text),
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
type Event = RecordedEvent<
  VideoUploaded | VideoProcessed | VideoDetailsChanged | VideoDeleted | VideoTextErased | CountedEvent
>;

/** Views, likes and uploads by the UTC day on which they happened. Of the views, those that the live view rule counts. */
export const analytics = defineProjection({
  name: 'analytics',
  version: 4 + countsVersion,
  variant: ({ viewRule }: ReadModelSettings) => variantOf(viewRule),
  tables,
  handles: [
    'VideoUploaded',
    'VideoProcessed',
    'VideoDetailsChanged',
    'VideoDeleted',
    'VideoTextErased',
    ...countedEventTypes,
  ],
  independentBy: streamSubject,

  async apply(recorded: readonly Event[], db, { viewRule }) {
    const events = await countedViews(recorded, db, viewRule);
    // A delta of zero is written as well: whether a row exists must not depend on how the log was cut into batches.
    await upsert(db, daily, dailyDeltas(events), { add: dailyNumbers });
    await writeVideos(events, db);
  },
});

/** The columns of `analytics.daily` that are numbers of a day. */
export const dailyNumbers = [...counted.map((what) => `${what}s` as const), 'uploads'] as const;

export type DailyNumber = (typeof dailyNumbers)[number];

type DailyDelta = NewRow<typeof daily> & Record<DailyNumber, number>;

function dailyDeltas(events: readonly Event[]): DailyDelta[] {
  const deltas: DailyDelta[] = [];
  const ofVideos = new Map<string, Map<string, DailyDelta>>();
  const deltaOf = ({ ownerId, videoId, at }: Countable): DailyDelta => {
    const day = at.slice(0, 10);
    let ofVideo = ofVideos.get(videoId);
    if (ofVideo === undefined) ofVideos.set(videoId, (ofVideo = new Map<string, DailyDelta>()));
    let delta = ofVideo.get(day);
    if (delta === undefined) {
      delta = { owner_id: ownerId, video_id: videoId, day, ...eachCount('s', () => 0), uploads: 0 };
      ofVideo.set(day, delta);
      deltas.push(delta);
    }
    return delta;
  };
  for (const { type, data } of events) {
    for (const { what, by } of countChanges(type)) deltaOf(data)[`${what}s`] += by;
    if (type === 'VideoUploaded') deltaOf(data).uploads++;
  }
  return deltas;
}

type VideoRow = NewRow<typeof videos>;

/**
 * Events of a video come in order, so its last title is the newest, and whether it is ready or deleted only changes to true.
 * Those without a title follow in an upsert that keeps the title.
 */
async function writeVideos(events: readonly Event[], db: Db): Promise<void> {
  const titled = new Map<string, VideoRow>();
  const others = new Map<string, VideoRow>();
  for (const { type, data, revision } of events) {
    const { videoId: id, ownerId: owner_id } = data;
    if (type === 'VideoUploaded' || type === 'VideoDetailsChanged')
      titled.set(id, { id, owner_id, title: data.title, ready: false, deleted: false, revision });
    else if (type === 'VideoTextErased')
      titled.set(id, { id, owner_id, title: '', ready: false, deleted: true, revision });
    else if (type === 'VideoProcessed' || type === 'VideoDeleted') {
      const { ready = false, deleted = false } = others.get(id) ?? {};
      const [isReady, isDeleted] = [ready || type === 'VideoProcessed', deleted || type === 'VideoDeleted'];
      others.set(id, { id, owner_id, title: '', ready: isReady, deleted: isDeleted, revision });
    }
  }
  const greatest = ['ready', 'deleted', 'revision'] as const;
  await upsert(db, videos, [...titled.values()], { keep: ['owner_id'], greatest });
  await upsert(db, videos, [...others.values()], { keep: ['owner_id', 'title'], greatest, insert: false });
}
