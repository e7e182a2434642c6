import { sql, type Generated, type Kysely } from 'kysely';

export interface VideoRow {
  /** UUID v7: descending order is newest first. */
  id: string;
  /** UUID. */
  owner_id: string;
  title: string;
  description: string;
  status: 'processing' | 'ready' | 'failed';
  /** Object keys; null until ready. */
  video_key: string | null;
  thumbnail_key: string | null;
  /** Seconds. */
  duration: number;
  /** Pixels as shown: of the original until ready, then of what is played. */
  width: number;
  height: number;
  /** A sentence for the uploader; null unless failed. */
  failure: string | null;
  created_at: Date;
  updated_at: Date;
  /** The row stays as a tombstone. */
  deleted_at: Date | null;
  /** Last revision of the video's stream that is in the row (ETag, If-Match). */
  revision: number;
}

/** Apart from `videos`, because likes and views come in an order of their own: a row may precede its video's. No row means zero. */
export interface CountsRow {
  /** UUID. */
  video_id: string;
  view_count: bigint;
  like_count: bigint;
}

/** May come after the author's videos. */
export interface AuthorRow {
  /** UUID. */
  user_id: string;
  name: string;
  username: string;
}

/** One row: how long the feed is, without counting it. */
export interface TotalsRow {
  one: Generated<true>;
  /** Ready and not deleted. */
  ready: bigint;
}

export interface VideosTables {
  videos: VideoRow;
  counts: CountsRow;
  authors: AuthorRow;
  totals: TotalsRow;
}

export async function createVideosTables(db: Kysely<VideosTables>): Promise<void> {
  await db.schema
    .createTable('videos')
    .addColumn('id', 'uuid', (column) => column.primaryKey())
    .addColumn('owner_id', 'uuid', (column) => column.notNull())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('video_key', 'text')
    .addColumn('thumbnail_key', 'text')
    .addColumn('duration', 'float8', (column) => column.notNull())
    .addColumn('width', 'integer', (column) => column.notNull())
    .addColumn('height', 'integer', (column) => column.notNull())
    .addColumn('failure', 'text')
    .addColumn('created_at', 'timestamptz', (column) => column.notNull())
    .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
    .addColumn('deleted_at', 'timestamptz')
    .addColumn('revision', 'integer', (column) => column.notNull())
    .execute();
  await sql`create index feed on videos (id desc) where status = 'ready' and deleted_at is null`.execute(db);
  await sql`create index of_owner on videos (owner_id, id desc) where deleted_at is null`.execute(db);
  await db.schema
    .createTable('counts')
    .addColumn('video_id', 'uuid', (column) => column.primaryKey())
    .addColumn('view_count', 'int8', (column) => column.notNull())
    .addColumn('like_count', 'int8', (column) => column.notNull())
    .execute();
  // Every like updates a row here: room on the page keeps the update next to the row, and the index untouched.
  await sql`alter table counts set (fillfactor = 70)`.execute(db);
  await db.schema
    .createTable('authors')
    .addColumn('user_id', 'uuid', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('username', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('totals')
    .addColumn('one', 'boolean', (column) =>
      column
        .primaryKey()
        .defaultTo(true)
        .check(sql`one`),
    )
    .addColumn('ready', 'int8', (column) => column.notNull())
    .execute();
  await db.insertInto('totals').values({ ready: 0n }).execute();
}
