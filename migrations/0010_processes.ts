import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The processes that run, or ran until a moment ago. Each writes its row every few seconds, and deletes it when it stops. */
export const processes: Migration = {
  async up(db) {
    await sql`
      create table reelstream.processes (
        id uuid primary key,
        role text not null,
        pid int not null,
        host text not null,
        version text not null,
        started_at timestamptz not null default now(),
        last_seen_at timestamptz not null default now(),
        appends_per_second real not null default 0
      )`.execute(db);
  },
};
