import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore } from '../../core/eventStore.ts';
import { applyEvents, type ApplyOptions } from '../applyBatch.ts';
import {
  isDeclared,
  KEPT_CHECKPOINTS,
  lockAllCheckpoints,
  readCheckpoints,
  writeEvenLayout,
  type Checkpoint,
} from '../checkpoints.ts';
import { loggable } from '../parking/parking.ts';
import { NEVER_BUILT } from '../tables/firstBuild.ts';
import { inTransaction } from '../transaction.ts';
import { keepCheckpoints } from './kept.ts';
import { lockTables } from './lockTables.ts';
import { droppedSchema, oldSchema } from './schemas.ts';

/** If queries read the tables without a pause for so long, they are exchanged all the same, and a query may then see some of each. */
const LONGEST_LOCKING_MS = 2_000;
/** After so long, the replaced tables are left to the next rebuild. */
const LONGEST_DROPPING_MS = 10_000;

export interface SwapOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll' | 'head'>;
  readonly logger: Logger;
  /** Does nothing when a newer version is in place by then, or this one in this variant. */
  readonly onlyIfOlder?: boolean;
  /** Whether the tables that are replaced are kept for a rollback. False by default. */
  readonly keepReplaced?: boolean;
  /** Called last in the transaction of the swap. When it rejects, nothing is swapped. */
  alongside?(client: pg.ClientBase): Promise<void>;
  /** Called after the swap, with the new checkpoints. */
  onSwapped?(checkpoints: readonly Checkpoint[]): void;
}

/**
 * Replaces the live tables by those in `schema`, in one transaction: a query sees the old tables or the new ones, never some
 * of each. First applies the last events to the new ones, while nobody writes to the live ones. The caller holds the lock of `exclusively`.
 */
export async function swap(options: SwapOptions): Promise<void> {
  const { pool, consumer, schema, store, keepReplaced = false } = options;
  const { name } = consumer;
  // An earlier swap may have failed to drop them.
  await pool.query(`drop schema if exists "${droppedSchema(name)}" cascade`);
  let keeps = keepReplaced;
  const swapped = await inTransaction(pool, { schema: name }, async (live) => {
    const places = await lockAllCheckpoints(live, name);
    if (isOvertaken(options, places)) return undefined;
    // Tables that were never built are empty.
    keeps = keepReplaced && places.every(({ version }) => version !== NEVER_BUILT);
    const head = await store.head();
    const built = await readCheckpoints(live.client, schema);
    // Each writer of the rebuild has a checkpoint, and all are at one position.
    const { position, version, variant } = built[0]!;
    await keepCheckpoints(live.client);
    await live.client.query(`set local search_path to "${schema}"`);
    // In this transaction, because writers that wait for the locked rows may hold all other connections.
    for await (const { events } of store.readAll({ after: position, until: head, types: consumer.handles })) {
      // An event that is parked on one page blocks its stream on the next.
      await applyEvents({ ...options, isolateAfter: 1 }, events, true, live);
    }
    await writeEvenLayout(live.client, {
      partitions: places.length,
      version,
      variant,
      position: head,
      logId: built.find(({ logId }) => logId !== null)?.logId ?? (await options.logId()),
    });
    await live.client.query(`drop table if exists ${KEPT_CHECKPOINTS}`);
    const checkpoints = await readCheckpoints(live.client);
    await options.alongside?.(live.client);
    // So that no query finds some tables under their old name and others under the new one: PostgreSQL looks up the tables
    // of a query one after the other. Not the table of checkpoints: consumers that wait for theirs hold a lock on it.
    await lockTables(live.client, { schema: name, bookkeeping: false, longestMs: LONGEST_LOCKING_MS });
    await exchange(live.client, name, schema);
    return checkpoints;
  });
  // Afterwards, in transactions of their own: queries may still read these tables.
  const unused = swapped === undefined ? [schema] : [droppedSchema(name), ...(keeps ? [] : [oldSchema(name)])];
  for (const each of unused) {
    await drop(pool, each).catch((error: unknown) => {
      options.logger.warn(
        { error: loggable(error) },
        `the replaced tables of ${name} could not be dropped; the next rebuild will`,
      );
    });
  }
  if (swapped !== undefined) options.onSwapped?.(swapped);
}

/** A plain `drop schema` would wait for one table while it holds others, and deadlock with a query that reads both. */
async function drop(pool: pg.Pool, schema: string): Promise<void> {
  await inTransaction(pool, { schema }, async ({ client }) => {
    if (!(await lockTables(client, { schema, bookkeeping: true, longestMs: LONGEST_DROPPING_MS })))
      throw new Error('queries have been reading them for too long');
    await client.query(`drop schema if exists "${schema}" cascade`);
  });
}

/** Makes `schema` live, and the live one the kept one. */
async function exchange(client: pg.ClientBase, name: string, schema: string): Promise<void> {
  const [old, dropped] = [oldSchema(name), droppedSchema(name)];
  const rename = (from: string, to: string): Promise<unknown> =>
    client.query(`alter schema "${from}" rename to "${to}"`);
  if (schema === old) {
    await rename(name, dropped);
    await rename(old, name);
    await rename(dropped, old);
    return;
  }
  const { rowCount: kept } = await client.query('select from pg_namespace where nspname = $1', [old]);
  if (kept !== 0) await rename(old, dropped);
  await rename(name, old);
  await rename(schema, name);
}

export function isOvertaken(
  { onlyIfOlder, consumer }: Pick<SwapOptions, 'onlyIfOlder' | 'consumer'>,
  inPlace: readonly Checkpoint[],
): boolean {
  return (
    onlyIfOlder === true &&
    inPlace.some((checkpoint) => checkpoint.version > consumer.version || isDeclared(checkpoint, consumer))
  );
}
