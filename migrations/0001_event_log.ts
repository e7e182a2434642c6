import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * The event log and the one function that writes to it.
 *
 * An append takes its positions under a lock on the single row of `head` and holds the lock until its commit. Positions therefore
 * become visible in their order: a reader who sees position p sees all below p (docs/adr/0003-event-ordering.md).
 */
export const eventLog: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create schema if not exists reelstream`.execute(db);
    await sql`
      create table reelstream.events (
        position bigint primary key,
        stream text collate "C" not null,
        revision int not null,
        id uuid not null unique,
        type text collate "C" not null,
        data json not null,
        metadata json not null,
        time timestamptz not null,
        unique (stream, revision)
      )`.execute(db);
    await sql`
      create table reelstream.head (
        one boolean primary key default true check (one),
        position bigint not null
      )`.execute(db);
    await sql`insert into reelstream.head (position) values (0)`.execute(db);
    await sql`
      create function reelstream.refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception 'the event log is append-only: % is refused', tg_op;
      end $$`.execute(db);
    await sql`
      create trigger append_only before update or delete or truncate on reelstream.events
      for each statement execute function reelstream.refuse_change()`.execute(db);
    await sql.raw(appendEvents).execute(db);
  },
};

/**
 * Appends a batch of independent requests and returns an outcome for each.
 *
 * In: the distinct streams; for each request its stream (index from 1), its expected revision (-1: none, -2: any) and its number of
 * events; the events of all requests in a row. Out, a row per request: `appended` or `repeated` with the place of its last event,
 * `conflict` with the revision found, or `taken` when some of its ids are in the log as other events.
 *
 * Planner settings: the inputs are small and the table is large. Without statistics, on a new table, the planner would scan the
 * whole table.
 */
const appendEvents = `
create function reelstream.append_events(
  streams text[], request_streams int[], request_expected int[], request_sizes int[],
  event_ids uuid[], event_types text[], event_data json[], event_metadata json[]
) returns table (outcome text, last_revision int, last_position bigint)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan
set jit = off -- a disabled kind of plan that is used all the same counts as very costly, and would be compiled
as $$
declare
  before bigint;
  reached bigint;
  now timestamptz;
  revisions int[];
  known int;
  known_streams text[];
  known_revisions int[];
  known_positions bigint[];
  new_streams int[] := array_fill(null::int, array[cardinality(event_ids)]);
  new_revisions int[] := new_streams;
  new_positions bigint[] := new_streams::bigint[];
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

  select array_agg(coalesce(
      (select e.revision from reelstream.events e where e.stream = s.name order by e.revision desc limit 1), -1) order by s.n)
    into revisions from unnest(streams) with ordinality s(name, n);
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
        new_streams[event] := own;
        new_revisions[event] := revisions[own];
        new_positions[event] := reached;
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
    insert into reelstream.events (position, stream, revision, id, type, data, metadata, time)
    select e.position, streams[e.stream], e.revision, e.id, e.type, e.data, e.metadata, now
    from unnest(new_positions, new_streams, new_revisions, event_ids, event_types, event_data, event_metadata)
      as e(position, stream, revision, id, type, data, metadata)
    where e.position is not null;
    update reelstream.head set position = reached;
  end if;
end $$`;
