import type { Kysely } from 'kysely';
import type { RecordedEvent } from '../../src/core/event.ts';
import type {
  VideoDeleted,
  VideoDetailsChanged,
  VideoProcessed,
  VideoTextErased,
  VideoUploaded,
} from '../../src/features/videos/events.ts';
import { defineProjection } from '../../src/projecting/projection.ts';
import type { Database, NewRow } from '../../src/projecting/tables/table.ts';
import { upsert } from '../../src/projecting/tables/upsert.ts';
import { countChanges, countedEventTypes, countsVersion, type Countable, type CountedEvent } from '../videoCounts.ts';
import { countedViews, viewers } from '../countedViews.ts';
import type { ReadModelSettings } from '../settings.ts';
import { variantOf } from '../viewRule.ts';
import { writeClock } from './clock.ts';
import { writeFacts, type Fact } from './facts.ts';
import {
  clockTable,
  factsTable,
  ownerDaysTable,
  titlesTable,
  videoDaysTable,
  videosTable,
  videoTotalsTable,
} from './tables.ts';

const tables = [
  factsTable,
  videoDaysTable,
  ownerDaysTable,
  videoTotalsTable,
  videosTable,
  titlesTable,
  clockTable,
  viewers,
] as const;
type Db = Kysely<Database<typeof tables>>;
type VideoEvent = VideoUploaded | VideoProcessed | VideoDetailsChanged | VideoDeleted;
type Event = RecordedEvent<VideoEvent | VideoTextErased | CountedEvent>;

/**
 * What `analytics` has, as it stood at each position of the log, with the events behind each number. Of the views, those
 * that the live view rule counts.
 */
export const timeline = defineProjection({
  name: 'timeline',
  version: 2 + countsVersion,
  awaited: false,
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

  async apply(events: readonly Event[], db, { viewRule }) {
    const uploads = await writeVideos(events.filter(isVideoEvent), db);
    await writeTitles(events, db);
    const counting = await countedViews(events, db, viewRule);
    await writeFacts(db, [...countedFacts(counting), ...uploads]);
    await writeClock(db, events);
  },
});

const videoEventTypes = new Set<string>(['VideoUploaded', 'VideoProcessed', 'VideoDetailsChanged', 'VideoDeleted']);
const isVideoEvent = (event: Event): event is RecordedEvent<VideoEvent> => videoEventTypes.has(event.type);

function* countedFacts(events: readonly Event[]): Generator<Fact> {
  for (const event of events) {
    for (const { what, by } of countChanges(event.type)) {
      const data = event.data as Countable;
      yield {
        ...placeOf(event),
        owner_id: data.ownerId,
        video_id: data.videoId,
        day: data.at.slice(0, 10),
        by,
        number: `${what}s`,
      };
    }
  }
}

const placeOf = ({ position, time, type }: RecordedEvent) => ({ position: `${position}`, time, type });

type Video = NewRow<typeof videosTable>;

/** Returns the uploads that these events made count. */
async function writeVideos(events: readonly RecordedEvent<VideoEvent>[], db: Db): Promise<Fact[]> {
  if (events.length === 0) return [];
  const videos = await videosOf(events, db);
  const uploads: Fact[] = [];
  for (const event of events) {
    const { videoId, ownerId, at } = event.data;
    const position = `${event.position}`;
    if (event.type === 'VideoUploaded') {
      const uploadedOn = at.slice(0, 10);
      videos.set(videoId, {
        id: videoId,
        owner_id: ownerId,
        uploaded_on: uploadedOn,
        ready_position: null,
        deleted_position: null,
      });
      continue;
    }
    const video = videos.get(videoId);
    if (video === undefined) throw new Error(`${event.type} in ${event.stream}, which has no VideoUploaded`);
    if (event.type === 'VideoDeleted') video.deleted_position = position;
    if (event.type !== 'VideoProcessed' || video.ready_position !== null) continue;
    video.ready_position = position;
    uploads.push({
      ...placeOf(event),
      owner_id: ownerId,
      video_id: videoId,
      day: video.uploaded_on,
      by: 1,
      number: 'uploads',
    });
  }
  await upsert(db, videosTable, [...videos.values()], { keep: ['owner_id', 'uploaded_on'] });
  return uploads;
}

async function videosOf(events: readonly RecordedEvent<VideoEvent>[], db: Db): Promise<Map<string, Video>> {
  const ids = new Set(events.map(({ data }) => data.videoId));
  const found = await db
    .selectFrom('videos')
    .selectAll()
    .where('id', '=', (eb) => eb.fn.any(eb.val([...ids])))
    .execute();
  const text = (position: bigint | null): string | null => (position === null ? null : `${position}`);
  return new Map(
    found.map((row) => [
      row.id,
      { ...row, ready_position: text(row.ready_position), deleted_position: text(row.deleted_position) },
    ]),
  );
}

async function writeTitles(events: readonly Event[], db: Db): Promise<void> {
  const titles: NewRow<typeof titlesTable>[] = [];
  const erased = new Set<string>();
  for (const { type, data, position } of events) {
    if (type === 'VideoUploaded' || type === 'VideoDetailsChanged')
      titles.push({ video_id: data.videoId, position: `${position}`, title: data.title });
    else if (type === 'VideoTextErased') erased.add(data.videoId);
  }
  await upsert(db, titlesTable, titles);
  if (erased.size === 0) return;
  const videoIds = [...erased];
  await db
    .deleteFrom('titles')
    .where('video_id', '=', (eb) => eb.fn.any(eb.val(videoIds)))
    .execute();
}
