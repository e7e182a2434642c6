import { sql } from 'kysely';
import type { LikeEvent } from '../src/features/likes/events.ts';
import type { Projection } from '../src/projecting/projection.ts';
import { recordset } from '../src/projecting/recordset.ts';

export interface LikeRow {
  /** UUID. */
  video_id: string;
  /** UUID. */
  user_id: string;
  /** False once taken back; the row stays. */
  liked: boolean;
  /** Of the pair's stream. */
  revision: number;
  updated_at: Date;
}

export interface LikesTables {
  likes: LikeRow;
}

/** Who likes what, a row a pair. How many like a video is in the projection `videos`. */
export const likes: Projection<LikesTables, LikeEvent> = {
  name: 'likes',
  version: 1,
  handles: ['VideoLiked', 'VideoUnliked'],

  async createTables(db) {
    await db.schema
      .createTable('likes')
      .addColumn('user_id', 'uuid', (column) => column.notNull())
      .addColumn('video_id', 'uuid', (column) => column.notNull())
      .addColumn('liked', 'boolean', (column) => column.notNull())
      .addColumn('revision', 'integer', (column) => column.notNull())
      .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
      .addPrimaryKeyConstraint('likes_pkey', ['user_id', 'video_id'])
      .execute();
  },

  async apply(events, db) {
    const pairs = new Map<string, object>();
    for (const event of events) {
      const { userId, videoId, at } = event.data;
      const liked = event.type === 'VideoLiked';
      pairs.set(event.stream, { user_id: userId, video_id: videoId, liked, revision: event.revision, updated_at: at });
    }
    if (pairs.size === 0) return;
    await sql`
      insert into likes (user_id, video_id, liked, revision, updated_at)
      select user_id, video_id, liked, revision, updated_at
      from ${recordset([...pairs.values()], 'user_id uuid, video_id uuid, liked boolean, revision int, updated_at timestamptz')}
      order by user_id, video_id
      on conflict (user_id, video_id) do update
      set liked = excluded.liked, revision = excluded.revision, updated_at = excluded.updated_at
      where excluded.revision > likes.revision
    `.execute(db);
  },
};
