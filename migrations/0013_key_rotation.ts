import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The master key (`DATA_KEY`) can be replaced (docs/adr/0078-keys-are-rotated.md). Master keys are numbered, and each
 * key of a user says which of them encrypted it. The keys of names (`src/core/names.ts`) no longer follow from the
 * master key, because names must not change: they are stored, encrypted with it.
 *
 * `reelstream.master_key` stays for programs of older versions, which would take other names with another master key.
 * The first rotation changes its fingerprint, so that they refuse to start.
 */
export const keyRotation: Migration = {
  async up(db) {
    await sql`
      create table reelstream.master_keys (
        number smallint primary key check (number > 0),
        fingerprint bytea not null,
        current boolean not null,
        since timestamptz not null default now(),
        complete_at timestamptz -- null while keys of users are encrypted with the one before
      )`.execute(db);
    await sql`create unique index on reelstream.master_keys (current) where current`.execute(db);
    await sql`
      insert into reelstream.master_keys (number, fingerprint, current, complete_at)
      select 1, fingerprint, true, now() from reelstream.master_key`.execute(db);
    await sql`alter table reelstream.user_keys add column master smallint not null default 1`.execute(db);
    await sql`
      create table reelstream.name_keys (
        kind text primary key,
        wrapped bytea not null,
        master smallint not null
      )`.execute(db);
    // Which master keys a process knows (hex). Null: it is of an older version.
    await sql`alter table reelstream.processes add column master_keys text[]`.execute(db);
  },
};
