import {
  date,
  int8,
  integer,
  nullable,
  personal,
  table,
  text,
  timestamptz,
  uuid,
  type Table,
} from '../../src/projecting/tables/table.ts';

/**
 * One row for each event that changed a number of a day, with the running totals right after it: what a total was at
 * position P is in the last row at or before P, one look-up in an index.
 */
export const factsTable = table(
  'facts',
  {
    /** Of the event in the log. For an upload: of the event by which the video became ready, since it counts from then on. */
    position: int8,
    /** When the log recorded the event. */
    time: timestamptz,
    owner_id: uuid,
    video_id: uuid,
    /** UTC: the day that the event is counted under, whenever it was recorded. */
    day: date,
    /** +1 or −1. */
    by: integer,
    /** Totals of this number, up to and including this event: of the video on this day, of the owner on this day, of the video. */
    of_video_day: integer,
    of_owner_day: integer,
    of_video: integer,
    /** The number that is counted: `views`, `likes`, `uploads`. */
    number: text,
    /** Of the event. */
    type: text,
  },
  {
    primaryKey: ['video_id', 'day', 'number', 'position'],
    indexes: {
      facts_of_owner_day: { columns: ['owner_id', 'day', 'number', 'position'] },
      facts_of_video: { columns: ['video_id', 'number', 'position'] },
    },
  },
);

/** What the tables of totals have beside their keys. With the positions, most totals of the past need no look-up in `facts`. */
const total = {
  number: text,
  /** Of the first and the last event in the total. */
  first_position: int8,
  last_position: int8,
  total: integer,
};

export const videoDaysTable = table(
  'video_days',
  { video_id: uuid, owner_id: uuid, day: date, ...total },
  { primaryKey: ['video_id', 'day', 'number'], indexes: { video_days_of_owner: { columns: ['owner_id', 'day'] } } },
);

export const ownerDaysTable = table(
  'owner_days',
  { owner_id: uuid, day: date, ...total },
  { primaryKey: ['owner_id', 'day', 'number'] },
);

export const videoTotalsTable = table(
  'video_totals',
  { video_id: uuid, owner_id: uuid, ...total },
  { primaryKey: ['video_id', 'number'], indexes: { video_totals_of_owner: { columns: ['owner_id', 'number'] } } },
);

/** The positions at which a video changed. */
export const videosTable = table(
  'videos',
  {
    id: uuid,
    owner_id: uuid,
    /** UTC: the day that its upload is counted under. */
    uploaded_on: date,
    /** Where it first became ready; null until then. */
    ready_position: nullable(int8),
    deleted_position: nullable(int8),
  },
  { primaryKey: ['id'] },
);

/** Every title that a video has had, by the position at which it got it. None once its owner is forgotten. */
export const titlesTable = table(
  'titles',
  { video_id: uuid, position: int8, title: personal(text) },
  { primaryKey: ['video_id', 'position'] },
);

/**
 * The way from a time to a position: a tree over the positions. A row says of a range of positions when its latest event
 * was recorded. The ranges of level 8 are 2^8 positions long, those of level 16 2^16, and so on.
 */
export const clockTable = table(
  'clock',
  {
    /** The binary logarithm of the length of the range: one of `clockLevels`. */
    level: integer,
    /** The number of the range: the positions divided by its length. */
    range: int8,
    /** The largest position in it, and the latest time. */
    last_position: int8,
    latest: timestamptz,
  },
  // The last ranges are written with every batch.
  { primaryKey: ['level', 'range'], fillfactor: 70 },
);

/** Each range has 256 ranges of the level below. The top level has few: the largest positions are bytes in EventStoreDB. */
export const clockLevels = [8, 16, 24, 32] as const;

/** A table of totals, and the column of `facts` that has its running total. */
export interface Scope {
  readonly table: Table;
  readonly running: 'of_video_day' | 'of_owner_day' | 'of_video';
}

export const videoDays: Scope = { table: videoDaysTable, running: 'of_video_day' };
export const ownerDays: Scope = { table: ownerDaysTable, running: 'of_owner_day' };
export const videoTotals: Scope = { table: videoTotalsTable, running: 'of_video' };
