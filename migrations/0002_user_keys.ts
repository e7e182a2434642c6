import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * One key a user, wrapped by the master key. A forgotten user's row stays, without its key: the tombstone that
 * keeps a new key from being made (docs/adr/0005-personal-data.md).
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
