import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What each user has waiting, for the quotas of uploads. `expires_at` is null once the upload is in the log; until then the
 * row is a reservation, which lapses if the process that receives the upload dies.
 */
export const pendingUploads: Migration = {
  async up(db) {
    await sql`create schema if not exists reelstream`.execute(db);
    await sql`
      create table reelstream.pending_uploads (
        video_id uuid primary key,
        owner_id uuid not null,
        bytes bigint not null,
        expires_at timestamptz
      )`.execute(db);
    await sql`create index pending_uploads_owner on reelstream.pending_uploads (owner_id)`.execute(db);
  },
};
