import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * `append_events`, with one more row, `last`: the last event of the log, and so the time at which the batch was recorded. Its
 * process then knows the recorded events without reading them. A function of its own, because running processes of an older
 * program have prepared the other one, and PostgreSQL refuses a prepared statement whose columns change.
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
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off -- as in append_events
as $$
begin
  return query select a.outcome, a.last_revision, a.last_position, null::timestamptz
    from reelstream.append_events(
      streams, request_streams, request_expected, request_sizes, event_ids, event_types, event_data, event_metadata) a;
  -- While this transaction holds the lock of the head, the last event is one of the batch, if it appended any.
  return query select 'last', e.revision, e.position, e.time
    from reelstream.head h join reelstream.events e on e.position = h.position;
end $$`,
      )
      .execute(db);
  },
};
