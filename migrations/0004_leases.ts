import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Which process does the work that only one may do, and how far the relay to Kafka is (docs/adr/0008-kafka-delivery.md). */
export const leases: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table reelstream.leases (
        name text primary key,
        holder text not null,
        epoch bigint not null,
        expires_at timestamptz not null
      )`.execute(db);
    await sql`
      create table reelstream.relays (
        topic text primary key,
        log_id text,
        partitions int not null,
        position bigint not null,
        last_positions bigint[] not null
      )`.execute(db);
    await sql`comment on column reelstream.relays.last_positions is 'the last position that was written to each partition, at or below position'`.execute(
      db,
    );
  },
};
