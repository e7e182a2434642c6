import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Resumable uploads. Their bytes are objects, listed in `parts` in their order. `video_position` is set once the upload
 * has become a video. `lock_holder` may change the row until `locked_until`; `release_asked` tells it that another
 * request waits.
 */
export const resumableUploads: Migration = {
  async up(db) {
    await sql`
      create table reelstream.resumable_uploads (
        id uuid primary key,
        owner_id uuid not null,
        video_id uuid not null,
        length bigint not null,
        received bigint not null default 0,
        parts text[] not null default '{}',
        metadata text not null,
        video_position bigint,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        lock_holder uuid,
        locked_until timestamptz,
        release_asked boolean not null default false
      )`.execute(db);
    await sql`create index resumable_uploads_owner on reelstream.resumable_uploads (owner_id)`.execute(db);
    await sql`create index resumable_uploads_expiry on reelstream.resumable_uploads (expires_at)`.execute(db);
  },
};
