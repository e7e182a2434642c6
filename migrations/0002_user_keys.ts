import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * One key per user, encrypted with the master key. The row of a forgotten user stays without its key. This tombstone prevents a new
 * key for the user (docs/adr/0005-personal-data.md).
 */
export const userKeys: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table reelstream.user_keys (
        user_id text collate "C" primary key,
        wrapped bytea,
        created_at timestamptz not null default now(),
        forgotten_at timestamptz,
        check ((wrapped is null) = (forgotten_at is not null))
      )`.execute(db);
    await sql`
      create table reelstream.master_key (
        one boolean primary key default true check (one),
        fingerprint bytea not null
      )`.execute(db);
  },
};
