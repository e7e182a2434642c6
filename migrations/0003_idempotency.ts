import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Answers of commands, by their `Idempotency-Key`, for 24 hours. `status` is null while the command runs, and when its answer may not be kept. */
export const idempotency: Migration = {
  async up(db) {
    await sql`create schema if not exists reelstream`.execute(db);
    await sql`
      create table reelstream.idempotency (
        actor text not null,
        key text not null,
        fingerprint text not null,
        owner uuid not null unique,
        held_until timestamptz not null,
        status int,
        headers jsonb,
        body bytea,
        created_at timestamptz not null,
        primary key (actor, key)
      )`.execute(db);
    await sql`create index idempotency_created_at on reelstream.idempotency (created_at)`.execute(db);
  },
};
