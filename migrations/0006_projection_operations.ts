import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What operators ask of projections: rebuild, roll back, verify. A process with the projector role does it. While one that
 * changes tables is open, there is no second one for the same projection; the same holds for verifications.
 */
export const projectionOperations: Migration = {
  async up(db) {
    await sql`create schema if not exists reelstream`.execute(db);
    await sql`
      create table reelstream.projection_operations (
        id uuid primary key,
        projection text not null,
        kind text not null check (kind in ('rebuild', 'rollback', 'verify')),
        version int not null,
        variant text not null default '',
        state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
        cancel_asked boolean not null default false,
        asked_at timestamptz not null default now(),
        asked_by text not null,
        started_at timestamptz,
        ended_at timestamptz,
        progress jsonb,
        result jsonb,
        error text
      )`.execute(db);
    await sql`
      create unique index projection_operations_open on reelstream.projection_operations (projection, (kind = 'verify'))
      where state in ('waiting', 'running')`.execute(db);
    await sql`
      create index projection_operations_latest on reelstream.projection_operations (projection, kind, asked_at desc)`.execute(
      db,
    );
  },
};
