import type pg from 'pg';
import type { EventStore } from '../../core/eventStore.ts';
import { applyEvents, type ApplyOptions } from '../applyBatch.ts';
import { catchUp } from './catchUp.ts';
import { install, isDeclared, readCheckpoints, Superseded, type Checkpoint } from '../checkpoints.ts';
import type { Consumer } from '../consumer.ts';
import { partitionOf } from '../../core/partitions.ts';
import { withDiscardedRead } from '../parking/discarded.ts';
import { otherVersionInPlace } from '../parking/refusals.ts';
import { checkpointsInPlace } from '../status.ts';
import { inTransaction } from '../transaction.ts';
import { compareTables, type TableComparison } from './compareTables.ts';
import { exclusively, RebuildUnderWay } from './exclusively.ts';
import { scratchPrefix } from './schemas.ts';
import { writersOf } from './writers.ts';

export interface Verification {
  readonly projection: string;
  /** The position of the live tables that were compared. */
  readonly position: bigint;
  /** Whether every live table equals a replay of the log. */
  readonly identical: boolean;
  /** In the order of their names. */
  readonly tables: readonly TableComparison[];
}

export interface VerifyOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly signal?: AbortSignal;
  onProgress?(progress: { position: bigint; until: bigint }): void;
}

/**
 * Replays the log into a scratch schema and compares it, row by row, with the live tables as they were at one moment.
 * Live delivery continues meanwhile: the comparison reads a snapshot. Several may run at once.
 * @throws DomainError `other_version_in_place`
 */
export async function verify(given: VerifyOptions): Promise<Verification> {
  for (;;) {
    const options = await withDiscardedRead(given);
    const tables = await identityOf(given);
    const found = await verifyOnce(options);
    const [before, after] = await Promise.all([options, given].map((from) => from.discarded(given.consumer.name)));
    // An event that was discarded meanwhile may be in the replay, but not in the live rows. And when the live tables were
    // replaced, one table may have been compared before that, and another one after.
    if (after!.size === before!.size && (await identityOf(given)) === tables) return found;
  }
}

/** Changes when a rebuild or a rollback replaces the live tables. */
async function identityOf({ pool, consumer }: VerifyOptions): Promise<number | undefined> {
  const { rows } = await pool.query<{ oid: number }>('select oid from pg_namespace where nspname = $1', [
    consumer.name,
  ]);
  return rows[0]?.oid;
}

async function verifyOnce(options: VerifyOptions): Promise<Verification> {
  const { pool, consumer } = options;
  const prefix = scratchPrefix(consumer.name);
  await dropLeftovers(pool, prefix);
  const scratch = `${prefix}${process.pid}_${Date.now().toString(36)}`;
  // The lock is how another process knows that the schema is in use.
  return exclusively(pool, scratch, async () => {
    try {
      return await replayAndCompare(options, scratch);
    } finally {
      await drop(pool, scratch).catch(() => undefined);
    }
  });
}

async function replayAndCompare(options: VerifyOptions, scratch: string): Promise<Verification> {
  const { pool, consumer, store, signal } = options;
  const live = consumer.name;
  await install(pool, consumer, scratch, { partitions: writersOf(consumer) });
  const until = least(declared(consumer, await checkpointsInPlace(pool, live)));
  const onBatch = ({ position }: { position: bigint }): void => options.onProgress?.({ position, until });
  const after = await catchUp({ ...options, schema: scratch, until, onBatch });

  return inTransaction(pool, { schema: scratch, isolation: 'repeatable read' }, async (transaction) => {
    const checkpoints = declared(consumer, await readCheckpoints(transaction.client, live));
    // A swap meanwhile: by the snapshot of this transaction, the new table has no rows.
    if (checkpoints.length === 0) throw new Superseded(live);
    const position = checkpoints.reduce(
      (most, checkpoint) => (checkpoint.position > most ? checkpoint.position : most),
      0n,
    );
    for await (const { events } of store.readAll({ after, until: position, types: consumer.handles, signal })) {
      const taken = events.filter(
        (event) => event.position <= checkpoints[partitionOf(event.stream, checkpoints.length)]!.position,
      );
      await applyEvents({ ...options, isolateAfter: 1 }, taken, true, transaction);
    }
    const { personalColumns: personal = {} } = consumer;
    const tables = await compareTables(transaction.client, { live, replayed: scratch, personal });
    return { projection: live, position, identical: tables.every(({ differing }) => differing === 0), tables };
  });
}

/** Rows of another version, or made under other settings, differ from a replay without being wrong. */
function declared(consumer: Consumer, checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  const other = checkpoints.find((checkpoint) => !isDeclared(checkpoint, consumer));
  if (other !== undefined) throw otherVersionInPlace(consumer, other);
  return checkpoints;
}

const least = (checkpoints: readonly { position: bigint }[]): bigint =>
  checkpoints.reduce((fewest, { position }) => (position < fewest ? position : fewest), checkpoints[0]?.position ?? 0n);

/** Drops the schemas that begin like this and belonged to processes that died. */
export async function dropLeftovers(pool: pg.Pool, prefix: string): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    'select nspname as name from pg_namespace where starts_with(nspname, $1)',
    [prefix],
  );
  for (const { name } of rows) {
    await exclusively(pool, name, () => drop(pool, name)).catch((error: unknown) => {
      if (!(error instanceof RebuildUnderWay)) throw error;
    });
  }
}

async function drop(pool: pg.Pool, schema: string): Promise<void> {
  await pool.query(`drop schema if exists "${schema}" cascade`);
}
