import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** How far the processing of an upload is, for its owner who looks later than the message of the socket. Null until a worker begins. */
export const uploadProgress: Migration = {
  async up(db) {
    await sql`alter table reelstream.pending_uploads add column stage text, add column progress integer`.execute(db);
  },
};
