import type pg from 'pg';
import type { Consumer } from '../consumer.ts';

/** An event that could not be applied, or that waits behind such an event of its stream. */
export interface ParkedEvent {
  readonly id: string;
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  /** The message of the last error. */
  readonly error: string;
  /** How often it failed; 0 while it waits behind an earlier event. */
  readonly attempts: number;
  readonly parkedAt: Date;
  /** The id of the first parked event of its stream; null when it is the first itself, and so can be retried. */
  readonly waitsFor: string | null;
}

export interface ParkedPage {
  /** In the order of the log. */
  readonly events: readonly ParkedEvent[];
  /** Whether there are more after them. */
  readonly more: boolean;
}

/** `position` is exclusive. */
export interface PageOfParked {
  readonly after: bigint;
  readonly limit: number;
}

const COLUMNS = `p.id, p.position, p.stream, p.revision, p.type, p.error, p.attempts, p.parked_at as "parkedAt",
  (select f.id from parked_events f where f.stream = p.stream and f.position < p.position order by f.position limit 1) as "waitsFor"`;

/** Empty for a consumer that has never run. */
export async function listParked(
  pool: pg.Pool,
  { name }: Pick<Consumer, 'name'>,
  { after, limit }: PageOfParked,
): Promise<ParkedPage> {
  const table = `"${name}".parked_events`;
  const { rows: found } = await pool.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [
    table,
  ]);
  if (!found[0]!.exists) return { events: [], more: false };
  const { rows } = await pool.query<ParkedEvent>(
    `select ${COLUMNS.replaceAll('parked_events', table)} from ${table} p where p.position > $1 order by p.position limit $2`,
    [after, limit + 1],
  );
  return { events: rows.slice(0, limit), more: rows.length > limit };
}

/** The parked events of one stream, in order. `search_path` is the consumer's schema. */
export async function parkedOfStream(client: pg.ClientBase, stream: string): Promise<ParkedEvent[]> {
  const { rows } = await client.query<ParkedEvent>(
    `select ${COLUMNS} from parked_events p where p.stream = $1 order by p.position`,
    [stream],
  );
  return rows;
}
