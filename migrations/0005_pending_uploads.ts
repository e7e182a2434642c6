import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The uploads of each user that wait to be processed, for the quotas. `expires_at` is null once the upload is in the log. Until then
 * the row is a reservation, which expires if the process that receives the upload dies.
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
