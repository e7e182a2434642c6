import type { Logger } from 'pino';
import type { EventStore } from '../../core/eventStore.ts';
import { applyEvents, type ApplyOptions } from '../applyBatch.ts';
import { lockAllCheckpoints, readCheckpoints, writeEvenLayout, type Checkpoint } from '../checkpoints.ts';
import { loggable } from '../parking/parking.ts';
import { inTransaction } from '../transaction.ts';
import { oldSchema } from './schemas.ts';

export interface SwapOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll' | 'head'>;
  readonly logger: Logger;
  /** Does nothing when this version or a newer one is in place by then. */
  readonly onlyIfOlder?: boolean;
}

/**
 * Replaces the live tables by those in `schema`, in one transaction: queries see the old rows or the new ones. First applies
 * the last events to the new ones, while the live ones are locked.
 */
export async function swap(options: SwapOptions): Promise<void> {
  const { pool, consumer, schema, store } = options;
  const { name } = consumer;
  await pool.query(`drop schema if exists "${oldSchema(name)}" cascade`);
  const replaced = await inTransaction(pool, { schema: name }, async (live) => {
    const places = await lockAllCheckpoints(live, name);
    if (isOvertaken(options, places)) return schema;
    const head = await store.head();
    const [built] = await readCheckpoints(live.client, schema);
    // A writer that waits for one of these rows began with the old tables, and would continue with the new ones of the same
    // name. With the row deleted it gets none, and stops.
    await live.client.query('delete from checkpoints');
    await live.client.query(`set local search_path to "${schema}"`);
    // In this transaction, because writers that wait for the locked rows may hold all other connections.
    for await (const { events } of store.readAll({ after: built!.position, until: head, types: consumer.handles })) {
      await applyEvents({ ...options, isolateAfter: 1 }, events, built!.parks, live);
    }
    const { version, logId } = built!;
    await writeEvenLayout(live.client, {
      partitions: places.length,
      version,
      position: head,
      logId: logId ?? (await options.logId()),
    });
    await live.client.query(
      `alter schema "${name}" rename to "${oldSchema(name)}"; alter schema "${schema}" rename to "${name}"`,
    );
    return oldSchema(name);
  });
  // Afterwards, in a transaction of its own: it waits for queries that still read the old tables.
  await pool.query(`drop schema "${replaced}" cascade`).catch((error: unknown) => {
    options.logger.warn(
      { error: loggable(error) },
      `the old tables of ${name} could not be dropped; the next rebuild will`,
    );
  });
}

export function isOvertaken(
  { onlyIfOlder, consumer }: Pick<SwapOptions, 'onlyIfOlder' | 'consumer'>,
  inPlace: readonly Checkpoint[],
): boolean {
  return onlyIfOlder === true && inPlace.some(({ version }) => version >= consumer.version);
}
