import type pg from 'pg';

export interface LongLogOptions {
  /** How many events. */
  readonly events: number;
  /** Days over which the events are spread, in the order of the log; 60 by default. */
  readonly days?: number;
  /** When the last event happened; now by default. */
  readonly until?: Date;
  /** The users who own the videos in turn. By default each fifth made-up user owns five videos. */
  readonly owners?: readonly string[];
}

/**
 * Appends a long log to a PostgreSQL event log, as users would have made it: of 200 events, one is a registration, three belong to
 * the life of a video, twenty are likes (or take one back), the others are views. Recent videos get most of them. About 40 000
 * events per second, because the rows are made by PostgreSQL itself.
 *
 * The n-th user is `asUuid('user', n)`, and the n-th video is `asUuid('video', n)`; there is one of each for 200 events. Their
 * streams must not exist yet: call it once for each log. Personal data is not sealed. Returns the last position.
 */
export async function appendLongLog(
  pool: pg.Pool,
  { events, days = 60, until = new Date(), owners = [] }: LongLogOptions,
): Promise<bigint> {
  const client = await pool.connect();
  try {
    await client.query(`begin; set local synchronous_commit to off; set local work_mem to '256MB'`);
    const { rows } = await client.query<{ position: bigint }>('select position from reelstream.head for update');
    const before = rows[0]!.position;
    await client.query('select setseed(0.5)');
    await client.query(PLAN, [events]);
    await client.query(HELPERS);
    await client.query(INSERT, [before, events, until, days, owners]);
    await client.query('update reelstream.head set position = $1', [before + BigInt(events)]);
    await client.query('commit; analyze reelstream.events');
    return before + BigInt(events);
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/**
 * What each event is, as numbers. `block` counts 200 events each, and is also the number of the newest user and video. Views and
 * likes prefer recent videos: half of them go to the latest eighth.
 */
const PLAN = `
  create temporary table plan on commit drop as
  with slots as (
    select n, n / 200 as block, random() as chance, random() as other from generate_series(0, $1::int - 1) n),
  kinds as (
    select *, case
      when n % 200 = 0 then 'UserRegistered'
      when n % 200 = 1 then 'VideoUploaded'
      when n % 200 = 2 then 'VideoProcessed'
      when n % 200 = 3 and block % 3 = 0 then 'VideoDetailsChanged'
      when n % 200 = 4 and block % 20 = 10 then 'VideoDeleted'
      when n % 10 = 9 then 'like'
      else 'VideoViewed' end as kind
    from slots)
  select n, kind, other,
    case kind
      when 'VideoDetailsChanged' then block * 7 / 10
      when 'VideoDeleted' then block / 2
      when 'like' then block - floor(block * chance ^ 3)
      when 'VideoViewed' then block - floor(block * chance ^ 3)
      else block end::int as video,
    floor((block + 1) * other)::int as person
  from kinds`;

const HELPERS = `
  create or replace function pg_temp.made_up(prefix text, n int) returns text language sql immutable
    return prefix || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0');
  create or replace function pg_temp.iso(at timestamptz) returns text language sql stable
    return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** $1: the position before the first event, $2: how many events, $3: the end of the last day, $4: days, $5: owners. */
const INSERT = `
  with timed as (
    select *, date_trunc('milliseconds', $3::timestamptz - $4::int * interval '1 day' * (1 - (n + 1)::float8 / $2::int)) as at,
      pg_temp.made_up('0194bbbb', video) as video_id,
      case when cardinality($5::text[]) > 0 then ($5::text[])[1 + video % cardinality($5::text[])]
        else pg_temp.made_up('0194aaaa', video / 5) end as owner_id,
      pg_temp.made_up('0194aaaa', person) as person_id
    from plan),
  streams as (
    select *, pg_temp.iso(at) as at_text, case kind
      when 'UserRegistered' then 'user-' || pg_temp.made_up('0194aaaa', video)
      when 'VideoViewed' then 'views-' || video_id || '_' || left(pg_temp.iso(at), 10)
      when 'like' then 'like-' || video_id || '_' || person_id
      else 'video-' || video_id end as stream
    from timed),
  counted as (
    select *, (row_number() over (partition by stream order by n))::int - 1 as revision from streams)
  insert into reelstream.events (position, stream, revision, id, type, data, metadata, time)
  select $1::bigint + n + 1, stream, revision,
    (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
    case when kind <> 'like' then kind when revision % 2 = 0 then 'VideoLiked' else 'VideoUnliked' end,
    case kind
      when 'VideoViewed' then json_build_object('videoId', video_id, 'ownerId', owner_id, 'viewer',
        case when other < 0.8 then 'user:' || person_id else 'addr:' || md5(person_id) end, 'at', at_text)
      when 'like' then json_build_object('videoId', video_id, 'userId', person_id, 'ownerId', owner_id, 'at', at_text)
      when 'UserRegistered' then json_build_object('userId', pg_temp.made_up('0194aaaa', video), 'name', 'User ' || video,
        'username', 'user' || video, 'email', 'user' || video || '@example.com', 'passwordHash', '-', 'at', at_text)
      when 'VideoUploaded' then json_build_object('videoId', video_id, 'ownerId', owner_id, 'title', 'Video ' || video,
        'description', 'The video number ' || video, 'original', json_build_object('key', 'original/' || video, 'size', 1000),
        'facts', json_build_object('duration', 12.5, 'width', 1080, 'height', 1920), 'at', at_text)
      when 'VideoProcessed' then json_build_object('videoId', video_id, 'ownerId', owner_id,
        'video', json_build_object('key', 'video/' || video, 'size', 900),
        'thumbnail', json_build_object('key', 'thumbnail/' || video, 'size', 10),
        'facts', json_build_object('duration', 12.5, 'width', 720, 'height', 1280), 'at', at_text)
      when 'VideoDetailsChanged' then json_build_object('videoId', video_id, 'ownerId', owner_id,
        'title', 'Changed video ' || video, 'description', '', 'at', at_text)
      else json_build_object('videoId', video_id, 'ownerId', owner_id, 'wasPublic', true, 'at', at_text) end,
    json_build_object('correlationId', 'made-up', 'actor', person_id,
      'schemaVersion', case when kind = 'VideoDeleted' then 2 else 1 end),
    at
  from counted order by n`;
