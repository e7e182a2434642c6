import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** `log_id` identifies a log that was copied from another one (`EventStore.logId`). */
export const logCopies: Migration = {
  async up(db) {
    await sql`alter table reelstream.head add column log_id uuid`.execute(db);
  },
};
