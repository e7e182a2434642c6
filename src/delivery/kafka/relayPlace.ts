import type pg from 'pg';

/** How far the log has been copied to a topic: everything up to `position` was acknowledged by the brokers. */
export interface RelayPlace {
  /** Whose events the topic holds; null while the log is empty. */
  readonly logId: string | null;
  readonly partitions: number;
  readonly position: bigint;
  /** Of the last record in each partition, at or below `position`. */
  readonly lastPositions: readonly bigint[];
}

export const LEASE_NAME = (topic: string): string => `relay ${topic}`;

export async function readPlace(pool: pg.Pool, topic: string): Promise<RelayPlace | undefined> {
  const { rows } = await pool.query<{
    logId: string | null;
    partitions: number;
    position: bigint;
    lastPositions: string;
  }>(
    `select log_id as "logId", partitions, position, array_to_string(last_positions, ' ') as "lastPositions" from reelstream.relays where topic = $1`,
    [topic],
  );
  return rows[0] && { ...rows[0], lastPositions: rows[0].lastPositions.split(' ').map(BigInt) };
}

type Beginning = Pick<RelayPlace, 'logId' | 'partitions'>;

/** At the beginning of the log; where another process was faster, what it has written. */
export async function firstPlace(pool: pg.Pool, topic: string, beginning: Beginning): Promise<RelayPlace> {
  await insertBeginning(pool, topic, beginning, 'do nothing');
  return (await readPlace(pool, topic))!;
}

/** Back to the beginning of the log, for a topic that has nothing of it any more. For who holds the lease. */
export async function resetPlace(pool: pg.Pool, topic: string, beginning: Beginning): Promise<RelayPlace> {
  const update =
    'do update set log_id = excluded.log_id, partitions = excluded.partitions, position = 0, last_positions = excluded.last_positions';
  await insertBeginning(pool, topic, beginning, update);
  return (await readPlace(pool, topic))!;
}

async function insertBeginning(
  pool: pg.Pool,
  topic: string,
  { logId, partitions }: Beginning,
  onConflict: string,
): Promise<void> {
  await pool.query(
    `insert into reelstream.relays (topic, log_id, partitions, position, last_positions) values ($1, $2, $3, 0, array_fill(0::bigint, array[$3::int]))
     on conflict (topic) ${onConflict}`,
    [topic, logId, partitions],
  );
}

/** False when the lease of that epoch is no longer the one in force: then nothing was written. */
export async function savePlace(
  pool: pg.Pool,
  topic: string,
  epoch: bigint,
  { logId, position, lastPositions }: Omit<RelayPlace, 'partitions'>,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update reelstream.relays set log_id = $3, position = $4, last_positions = $5
     where topic = $1 and exists (select from reelstream.leases where name = $6 and epoch = $2 for share)`,
    [topic, epoch, logId, position, lastPositions, LEASE_NAME(topic)],
  );
  return rowCount === 1;
}
