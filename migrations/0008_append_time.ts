import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * `append_events`, with the time at which the batch was recorded: its process then knows the recorded events without
 * reading them. A function of its own, because running processes of an older program have prepared the other one, and
 * PostgreSQL refuses a prepared statement whose columns change.
 */
export const appendTime: Migration = {
  async up(db) {
    await sql
      .raw(
        `
create function reelstream.append_events_timed(
  streams text[], request_streams int[], request_expected int[], request_sizes int[],
  event_ids uuid[], event_types text[], event_data json[], event_metadata json[]
) returns table (outcome text, last_revision int, last_position bigint, recorded_at timestamptz)
language plpgsql
as $$
begin
  for outcome, last_revision, last_position in
    select * from reelstream.append_events(
      streams, request_streams, request_expected, request_sizes, event_ids, event_types, event_data, event_metadata)
  loop
    -- All events of a batch have the same time.
    if outcome = 'appended' and recorded_at is null then
      select e.time into recorded_at from reelstream.events e where e.position = last_position;
    end if;
    return next;
  end loop;
end $$`,
      )
      .execute(db);
  },
};
