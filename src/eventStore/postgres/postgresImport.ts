import type pg from 'pg';
import type { RecordedEvent } from '../../core/event.ts';
import { ImportRefused, type EventImport } from '../../core/eventImport.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { isOutage } from '../../postgres/outage.ts';

/**
 * Adds events of another log. Positions go on without a gap, so a copy of a whole log of PostgreSQL has the positions of
 * the first. The caller owns the pool.
 */
export function createPostgresImport(pool: pg.Pool): EventImport {
  /** The head that this import has left behind. */
  let head: bigint | undefined;

  async function add(events: readonly RecordedEvent[]): Promise<void> {
    const client = await pool.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<{ position: bigint }>(LOCKED_HEAD);
      const { position } = rows[0]!;
      if (head !== undefined && position !== head)
        throw new ImportRefused('Something else writes to the target. Stop it, and run the command again.');
      await client.query(INSERT, valuesOf(position, events));
      const reached = position + BigInt(events.length);
      await client.query(MOVE_HEAD, [reached]);
      await client.query('commit');
      head = reached;
    } catch (error) {
      // A connection in an unknown state is not used again. The server rolls back what it has begun.
      client.release(true);
      throw error;
    }
    client.release();
  }

  return {
    add: (events) =>
      add(events).catch((cause: unknown) => {
        if (isOutage(cause)) throw new EventStoreUnavailable('PostgreSQL did not take the events', { cause });
        throw cause;
      }),
    close: () => Promise.resolve(),
  };
}

/** The lock of every append: nobody else writes to the log until the commit. */
const LOCKED_HEAD = 'select position from reelstream.head for update';

const INSERT = `
  insert into reelstream.events (position, stream, revision, id, type, data, metadata, time, hash)
  select $1::bigint + n, stream, revision, id, type, data, metadata, time, decode(hash, 'hex')
  from unnest($2::text[], $3::int[], $4::uuid[], $5::text[], $6::json[], $7::json[], $8::timestamptz[], $9::text[])
    with ordinality e(stream, revision, id, type, data, metadata, time, hash, n)`;

const MOVE_HEAD = 'update reelstream.head set position = $1, log_id = coalesce(log_id, gen_random_uuid())';

function valuesOf(position: bigint, events: readonly RecordedEvent[]): unknown[] {
  return [
    position,
    events.map(({ stream }) => stream),
    events.map(({ revision }) => revision),
    events.map(({ id }) => id),
    events.map(({ type }) => type),
    events.map(({ data }) => JSON.stringify(data)),
    events.map(({ metadata }) => JSON.stringify(metadata)),
    events.map(({ time }) => time.toISOString()),
    events.map(({ hash }) => hash ?? null),
  ];
}
