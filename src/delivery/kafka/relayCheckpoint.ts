import type pg from 'pg';

/** How far the log has been copied to a topic. The brokers have acknowledged everything up to `position`. */
export interface RelayCheckpoint {
  /** The log whose events the topic holds; null while the log is empty. */
  readonly logId: string | null;
  readonly partitions: number;
  readonly position: bigint;
  /** Position of the last record in each partition, at most `position`. */
  readonly lastPositions: readonly bigint[];
}

export const leaseName = (topic: string): string => `relay ${topic}`;

export async function readCheckpoint(pool: pg.Pool, topic: string): Promise<RelayCheckpoint | undefined> {
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

type Beginning = Pick<RelayCheckpoint, 'logId' | 'partitions'>;

/**
 * Saves a checkpoint at the beginning of the log, unless another process has saved one already, and answers the saved
 * one.
 */
export async function createCheckpoint(pool: pg.Pool, topic: string, beginning: Beginning): Promise<RelayCheckpoint> {
  await insertBeginning(pool, topic, beginning, 'do nothing');
  return (await readCheckpoint(pool, topic))!;
}

/**
 * Goes back to the beginning of the log, for a topic that has been emptied. Only for the process that holds the lease.
 */
export async function resetCheckpoint(pool: pg.Pool, topic: string, beginning: Beginning): Promise<RelayCheckpoint> {
  const update =
    'do update set log_id = excluded.log_id, partitions = excluded.partitions, position = 0, last_positions = excluded.last_positions';
  await insertBeginning(pool, topic, beginning, update);
  return (await readCheckpoint(pool, topic))!;
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

/** Answers false, and writes nothing, when the lease has been taken with a later epoch. */
export async function saveCheckpoint(
  pool: pg.Pool,
  topic: string,
  epoch: bigint,
  { logId, position, lastPositions }: Omit<RelayCheckpoint, 'partitions'>,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update reelstream.relays set log_id = $3, position = $4, last_positions = $5
     where topic = $1 and exists (select from reelstream.leases where name = $6 and epoch = $2 for share)`,
    [topic, epoch, logId, position, lastPositions, leaseName(topic)],
  );
  return rowCount === 1;
}
