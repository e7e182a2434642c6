import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Each event is recorded with a hash (`src/core/eventHash.ts`). Events from before this migration have none.
 *
 * Programs of this version call `append_events_hashed`. Those of older versions, which may be running, call
 * `append_events_timed`, and that calls `append_events`: it calculates what they do not send, so that they record the
 * same hashes.
 */
export const eventHashes: Migration = {
  async up(db) {
    await sql`alter table reelstream.events add column hash bytea`.execute(db);
    await sql.raw(appendEventsHashed).execute(db);
    await sql.raw(appendEvents).execute(db);
  },
};

/**
 * `append_events` of 0001, with hashes, and with the row `last` of 0008 when it appended events. `contents` has 32 bytes
 * for each event, its `contentHash`.
 */
const appendEventsHashed = `
create function reelstream.append_events_hashed(
  streams text[], request_streams int[], request_expected int[], request_sizes int[],
  event_ids uuid[], event_types text[], event_data json[], event_metadata json[], contents bytea
) returns table (outcome text, last_revision int, last_position bigint, recorded_at timestamptz)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan
set jit = off -- a disabled kind of plan that is used all the same counts as very costly, and would be compiled
as $$
declare
  before bigint;
  reached bigint;
  now timestamptz;
  milliseconds bytea; -- of the time
  revisions int[];
  hashes bytea[]; -- of the last event of each stream
  known int;
  known_streams text[];
  known_revisions int[];
  known_positions bigint[];
  new_streams int[] := array_fill(null::int, array[cardinality(event_ids)]);
  new_revisions int[] := new_streams;
  new_positions bigint[] := new_streams::bigint[];
  new_hashes bytea[] := array_fill(null::bytea, array[cardinality(event_ids)]);
  first int := 1;
  last int;
  own int; -- the request's stream, as an index of streams
  found int;
begin
  -- With one snapshot for the whole transaction, what follows the lock would not see what was committed before it was granted.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'append_events needs the isolation level read committed';
  end if;
  -- An acknowledged append is durable, whatever the server's default.
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;

  -- A statement of its own: each that follows takes a new snapshot, which holds all that earlier holders of the lock committed.
  select h.position into strict before from reelstream.head h for update;
  reached := before;
  now := clock_timestamp();
  milliseconds := int8send(floor(extract(epoch from now) * 1000)::bigint);

  select array_agg(coalesce(l.revision, -1) order by s.n), array_agg(l.hash order by s.n)
    into revisions, hashes from unnest(streams) with ordinality s(name, n)
    left join lateral
      (select e.revision, e.hash from reelstream.events e where e.stream = s.name order by e.revision desc limit 1) l on true;
  select count(*) into known from reelstream.events e where e.id = any(event_ids);
  if known > 0 then
    select array_agg(e.stream order by i.n), array_agg(e.revision order by i.n), array_agg(e.position order by i.n)
      into known_streams, known_revisions, known_positions
      from unnest(event_ids) with ordinality i(id, n) left join reelstream.events e on e.id = i.id;
  end if;

  for request in 1 .. cardinality(request_sizes) loop
    last := first + request_sizes[request] - 1;
    own := request_streams[request];
    last_revision := null;
    last_position := null;
    found := 0;
    if known > 0 then
      found := cardinality(array_remove(known_revisions[first:last], null));
    end if;
    if found > 0 then
      -- Appended before, if all of them lie in this stream, side by side and in this order.
      if (select bool_and(coalesce(k.stream = streams[own] and k.revision = known_revisions[first] + k.n - 1, false))
          from unnest(known_streams[first:last], known_revisions[first:last]) with ordinality k(stream, revision, n)) then
        outcome := 'repeated';
        last_revision := known_revisions[last];
        last_position := known_positions[last];
      else
        outcome := 'taken';
      end if;
    elsif request_expected[request] = -2 or request_expected[request] = revisions[own] then
      outcome := 'appended';
      for event in first .. last loop
        reached := reached + 1;
        revisions[own] := revisions[own] + 1;
        hashes[own] := sha256(coalesce(hashes[own], '') || substr(contents, 32 * event - 31, 32) || milliseconds);
        new_streams[event] := own;
        new_revisions[event] := revisions[own];
        new_positions[event] := reached;
        new_hashes[event] := hashes[own];
      end loop;
      last_revision := revisions[own];
      last_position := reached;
    else
      outcome := 'conflict';
      last_revision := nullif(revisions[own], -1);
    end if;
    return next;
    first := last + 1;
  end loop;

  if reached > before then
    insert into reelstream.events (position, stream, revision, id, type, data, metadata, time, hash)
    select e.position, streams[e.stream], e.revision, e.id, e.type, e.data, e.metadata, now, e.hash
    from unnest(new_positions, new_streams, new_revisions, event_ids, event_types, event_data, event_metadata, new_hashes)
      as e(position, stream, revision, id, type, data, metadata, hash)
    where e.position is not null;
    update reelstream.head set position = reached;
    outcome := 'last';
    last_revision := null;
    last_position := reached;
    recorded_at := now;
    return next;
  end if;
end $$`;

const appendEvents = `
create or replace function reelstream.append_events(
  streams text[], request_streams int[], request_expected int[], request_sizes int[],
  event_ids uuid[], event_types text[], event_data json[], event_metadata json[]
) returns table (outcome text, last_revision int, last_position bigint)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off -- as in append_events_hashed
as $$
declare
  contents bytea;
begin
  select string_agg(
      sha256(convert_to(concat_ws(e'\\n', streams[r.stream], e.id, e.type, e.data, e.metadata), 'UTF8')), '' order by e.n)
    into contents
    from (select q.stream, q.size, sum(q.size) over (order by q.n) - q.size as before
        from unnest(request_streams, request_sizes) with ordinality q(stream, size, n)) r
      join unnest(event_ids, event_types, event_data, event_metadata) with ordinality e(id, type, data, metadata, n)
        on e.n > r.before and e.n <= r.before + r.size;
  return query select h.outcome, h.last_revision, h.last_position
    from reelstream.append_events_hashed(streams, request_streams, request_expected, request_sizes,
      event_ids, event_types, event_data, event_metadata, contents) h
    where h.outcome <> 'last';
end $$`;
