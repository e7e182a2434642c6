import {
  boolean,
  float8,
  int8,
  integer,
  nullable,
  oneOf,
  personal,
  table,
  text,
  timestamptz,
  uuid,
  type Row,
} from '../../src/projecting/tables/table.ts';
import { sql } from 'kysely';
import { eachCount } from '../videoCounts.ts';

/** Whether the feed has a video (`isListed`), in SQL. */
const listed = `status = 'ready' and visibility = 'public' and moderation is null and deleted_at is null`;

export const videosTable = table(
  'videos',
  {
    /** UUID v7: descending order is newest first. */
    id: uuid,
    owner_id: uuid,
    title: personal(text),
    description: personal(text),
    status: oneOf('processing', 'ready', 'failed'),
    /** Key in the object store; null until the video is ready. */
    video_key: nullable(text),
    /** Key in the object store; null until the video is ready. */
    thumbnail_key: nullable(text),
    visibility: oneOf('public', 'unlisted', 'private'),
    /** Which prefix of the object store has the files, whatever the prefix in the keys. */
    files_access: oneOf('public', 'private'),
    /** A moderator has hidden it from all but its owner, or removed it. Null: those whom `visibility` allows see it. */
    moderation: nullable(oneOf('hidden', 'removed')),
    /** Key of the HLS playlist of all renditions; null until it is made. */
    hls_key: nullable(text),
    /** Key of the WebVTT file with the thumbnails of the timeline; null until it is made. */
    storyboard_key: nullable(text),
    /** Key of the silent preview loop; null until it is made. */
    preview_key: nullable(text),
    /** Seconds. */
    duration: float8,
    /** Pixels as shown: of the original until the video is ready, then of the rendition that is played. */
    width: integer,
    /** Pixels as shown, as `width`. */
    height: integer,
    /** A sentence for the uploader; null unless processing failed. */
    failure: nullable(text),
    created_at: timestamptz,
    updated_at: timestamptz,
    /** When the video was deleted. The row stays. */
    deleted_at: nullable(timestamptz),
    /** Last revision of the video's stream that is in the row (ETag, If-Match). */
    revision: integer,
  },
  {
    primaryKey: ['id'],
    indexes: {
      feed: { columns: ['id desc'], where: listed },
      of_author: { columns: ['owner_id', 'id desc'], where: listed },
      of_owner: { columns: ['owner_id', 'id desc'], where: `deleted_at is null or moderation = 'removed'` },
    },
  },
);

export type VideoRow = Row<typeof videosTable>;

/**
 * A table apart from `videos`, because likes and views come in an order of their own: a row here may exist before the
 * video's. No row means zero.
 */
export const countsTable = table(
  'counts',
  { video_id: uuid, ...eachCount('_count', () => int8) },
  {
    primaryKey: ['video_id'],
    // Every like updates a row here: room on the page keeps the new row version next to the old one, and the index as it is.
    fillfactor: 70,
    returned: true,
  },
);

/** The name of each user. A row may be written after the user's videos. */
export const authorsTable = table(
  'authors',
  { user_id: uuid, name: personal(text), username: personal(text) },
  { primaryKey: ['user_id'] },
);

/** One row: how long the feed is, without counting it. */
export const totalsTable = table(
  'totals',
  {
    one: { ...boolean, define: (column) => column.defaultTo(true).check(sql`one`) },
    /** Videos that are ready, public and not deleted. */
    ready: int8,
  },
  { primaryKey: ['one'], rows: [{ one: true, ready: 0 }] },
);
