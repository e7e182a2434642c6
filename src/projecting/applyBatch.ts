import type pg from 'pg';
import type { RecordedEvent } from '../core/event.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import { CheckpointBehind, lockCheckpoint, moveCheckpoint } from './checkpoints.ts';
import type { Consumer, ConsumerTransaction, HandledEvent } from './consumer.ts';
import { applyIsolating, parkFollowers } from './parking.ts';
import { inTransaction } from './transaction.ts';

/** Everything that a partition holds in (after, position], of the types that the consumer handles. */
export interface PartitionBatch {
  readonly partition: number;
  readonly partitions: number;
  readonly after: bigint;
  readonly position: bigint;
  readonly events: readonly RecordedEvent[];
}

export interface Applied {
  /** Where the partition stands now, which is further than the batch when another process was ahead. */
  readonly position: bigint;
  /** Whether rows may have changed. */
  readonly changed: boolean;
  readonly parked: number;
}

export interface ApplyOptions {
  readonly pool: pg.Pool;
  readonly consumer: Consumer;
  /** Where its tables are: its name, or the place where a rebuild is made. */
  readonly schema: string;
  readonly logId: () => Promise<string | null>;
  /** Events come as they lie in the log; only what is taken in is decoded. */
  readonly decode: EventCodec['decode'];
  /** How often this batch has failed as a whole; given, events that fail again are parked one by one. */
  readonly isolateAfter?: number;
}

/**
 * Takes a batch into the rows and moves the checkpoint, in one transaction. Whatever lies at or below the checkpoint
 * is skipped, and the checkpoint's row stays locked meanwhile: a repetition, a second process or one that believes
 * to be in charge still changes nothing.
 * @throws CheckpointBehind, Superseded
 */
export async function applyBatch(options: ApplyOptions, batch: PartitionBatch): Promise<Applied> {
  const { pool, consumer, schema } = options;
  return inTransaction(pool, { schema }, async (transaction) => {
    const checkpoint = await lockCheckpoint(transaction, schema, { ...batch, version: consumer.version });
    if (checkpoint.position >= batch.position) return { position: checkpoint.position, changed: false, parked: 0 };
    if (checkpoint.position < batch.after) throw new CheckpointBehind(checkpoint.position);
    const events = batch.events.filter((event) => event.position > checkpoint.position);
    const parked = await applyEvents(options, events, checkpoint.parks, transaction);
    if (parked > 0) await transaction.client.query('update checkpoints set parks = true where partition = $1', [batch.partition]);
    await moveCheckpoint(transaction, batch.partition, batch.position, checkpoint.logId ?? (await options.logId()));
    return { position: batch.position, changed: events.length > 0, parked };
  });
}

/** Answers how many were parked. */
export async function applyEvents(
  { consumer, decode, isolateAfter }: Pick<ApplyOptions, 'consumer' | 'decode' | 'isolateAfter'>,
  events: readonly RecordedEvent[],
  parks: boolean,
  transaction: ConsumerTransaction,
): Promise<number> {
  const free = parks ? await parkFollowers(events, transaction) : events;
  const before = events.length - free.length;
  if (free.length === 0) return before;
  const apply = async (some: readonly RecordedEvent[]): Promise<void> => consumer.apply((await decode(some)) as HandledEvent[], transaction);
  if (isolateAfter !== undefined) return before + (await applyIsolating(apply, free, isolateAfter, transaction));
  await apply(free);
  return before;
}
