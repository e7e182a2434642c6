import type pg from 'pg';
import type { EventStore } from '../../core/eventStore.ts';
import { install, lockAllCheckpoints, type Checkpoint } from '../checkpoints.ts';
import type { Consumer } from '../consumer.ts';
import { inTransaction } from '../transaction.ts';
import { hasDeclaredTables } from './sameTables.ts';

/** The version of a projection's tables from their creation until the events that the log already holds are applied. */
export const NEVER_BUILT = 0;
/** Live delivery applies so many events well within the time that a request waits. */
const SHORT_LOG = 1_000;

/**
 * Creates the live tables unless they exist. New tables of a projection are empty and get a version below any declared
 * one: on a long log they are rebuilt like those of an older version, and no request waits for them meanwhile.
 */
export function installLive(pool: pg.Pool, consumer: Consumer): Promise<Checkpoint[]> {
  const version = consumer.fingerprint === undefined ? consumer.version : NEVER_BUILT;
  return install(pool, consumer, consumer.name, { version });
}

/** Leaves a short log to live delivery: new, empty tables get the declared version at once. Returns the checkpoints. */
export async function adoptIfShort(
  { pool, store }: { pool: pg.Pool; store: Pick<EventStore, 'readAll'> },
  consumer: Consumer,
  found: Checkpoint[],
): Promise<Checkpoint[]> {
  const { name, version, variant } = consumer;
  if (!isNeverBuilt(found) || !(await isShort(store))) return found;
  // Another program may have created them.
  if (!(await hasDeclaredTables(pool, consumer, name))) return found;
  return inTransaction(pool, { schema: name }, async (transaction) => {
    const checkpoints = await lockAllCheckpoints(transaction, name);
    if (!isNeverBuilt(checkpoints)) return checkpoints;
    await transaction.client.query('update checkpoints set version = $1, variant = $2', [version, variant]);
    return checkpoints.map((checkpoint) => ({ ...checkpoint, version, variant }));
  });
}

/** Their tables are empty. */
function isNeverBuilt(checkpoints: readonly Checkpoint[]): boolean {
  return checkpoints.every(({ version, position }) => version === NEVER_BUILT && position === 0n);
}

async function isShort(store: Pick<EventStore, 'readAll'>): Promise<boolean> {
  let count = 0;
  for await (const { events } of store.readAll({ after: 0n, batchSize: SHORT_LOG + 1 })) {
    count += events.length;
    if (count > SHORT_LOG) return false;
  }
  return true;
}
