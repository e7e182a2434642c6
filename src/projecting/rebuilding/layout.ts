import type { EventStore } from '../../core/eventStore.ts';
import { applyEvents, type ApplyOptions } from '../applyBatch.ts';
import { catchUp } from './catchUp.ts';
import {
  isDeclared,
  lockAllCheckpoints,
  readCheckpoints,
  Superseded,
  writeEvenLayout,
  type Checkpoint,
} from '../checkpoints.ts';
import { partitionOf } from '../../core/partitions.ts';
import { withDiscardedRead } from '../parking/discarded.ts';
import { inTransaction } from '../transaction.ts';

export interface LayoutOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly signal?: AbortSignal;
}

/**
 * Changes the consumer's checkpoints to `partitions` partitions: when delivery changes from the store to Kafka, or back,
 * or to a topic with another number of partitions. First brings all partitions to one position from the event store: a
 * stream's position under one layout has no meaning under another. Several processes may do this at once.
 */
export async function ensureLayout(given: LayoutOptions, partitions: number): Promise<void> {
  const { pool, consumer, schema, store } = given;
  const found = await readCheckpoints(pool, schema);
  if (isLayout(found, partitions)) return;
  const options = await withDiscardedRead(given);
  // One pass over the missing events now, instead of one for each new partition later.
  if (isLayout(found, 1)) await catchUp(options);

  await inTransaction(pool, { schema }, async (transaction) => {
    const checkpoints = await lockAllCheckpoints(transaction, consumer.name);
    // A process of another version or variant would apply its rules to the rows of this one.
    if (checkpoints.some((checkpoint) => !isDeclared(checkpoint, consumer))) throw new Superseded(schema);
    if (isLayout(checkpoints, partitions)) return;
    const level = checkpoints.reduce((most, { position }) => (position > most ? position : most), 0n);
    const least = checkpoints.reduce((fewest, { position }) => (position < fewest ? position : fewest), level);
    for await (const { events } of store.readAll({
      after: least,
      until: level,
      types: consumer.handles,
      signal: options.signal,
    })) {
      const missing = events.filter(
        ({ stream, position }) => position > checkpoints[partitionOf(stream, checkpoints.length)]!.position,
      );
      await applyEvents({ ...options, isolateAfter: 1 }, missing, true, transaction);
    }
    const logId = checkpoints.find((checkpoint) => checkpoint.logId !== null)?.logId ?? null;
    const { version, variant } = consumer;
    await writeEvenLayout(transaction.client, { partitions, version, variant, position: level, logId });
  });
}

function isLayout(checkpoints: readonly Checkpoint[], partitions: number): boolean {
  return checkpoints.length === partitions && checkpoints.every((checkpoint) => checkpoint.partitions === partitions);
}
