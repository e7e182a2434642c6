import type pg from 'pg';
import type { RecordedEvent } from '../core/event.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import { CheckpointBehind, lockCheckpoints, moveCheckpoints, type Checkpoint } from './checkpoints.ts';
import type { Consumer, ConsumerTransaction } from './consumer.ts';
import type { ReadDiscarded } from './parking/discarded.ts';
import { applyIsolating, parkFollowers } from './parking/parking.ts';
import { inTransaction } from './transaction.ts';

/** All events of a partition in (after, position] whose types the consumer handles. */
export interface PartitionBatch {
  readonly partition: number;
  readonly after: bigint;
  readonly position: bigint;
  readonly events: readonly RecordedEvent[];
}

/** The position of a partition after the batch; beyond the batch when another process was ahead. */
export interface Applied {
  readonly partition: number;
  readonly position: bigint;
  /** Whether rows may have changed. */
  readonly changed: boolean;
}

export interface ApplyOptions {
  readonly pool: pg.Pool;
  readonly consumer: Consumer;
  /** The schema of its tables: its name, or the schema that a rebuild fills. */
  readonly schema: string;
  readonly logId: () => Promise<string | null>;
  /** Events come as they are in the log; only those that are applied are decoded. */
  readonly decode: EventCodec['decode'];
  /** Discarded events are not applied. Called for each batch: a run reads them once (`withDiscardedRead`). */
  readonly discarded: ReadDiscarded;
  /** How often this batch has failed as a whole. When it is given, single events that fail again are parked. */
  readonly isolateAfter?: number;
}

/**
 * Applies one batch of each of these partitions and moves their checkpoints, in one transaction. Events at or below a
 * checkpoint are skipped, and the rows of the checkpoints stay locked meanwhile: a repeated batch, a second process or one
 * that has not noticed a rebalance changes nothing. Returns the partitions in their order.
 * @throws CheckpointBehind, Superseded
 */
export async function applyBatches(
  options: ApplyOptions,
  partitions: number,
  batches: readonly PartitionBatch[],
): Promise<{ applied: Applied[]; parked: number }> {
  const { pool, consumer, schema } = options;
  return inTransaction(pool, { schema }, async (transaction) => {
    const wanted = batches.map(({ partition }) => partition);
    const { version, variant } = consumer;
    const checkpoints = await lockCheckpoints(transaction, schema, wanted, { partitions, version, variant });
    const fresh = checkpoints.map((checkpoint) =>
      freshPart(
        batches.find(({ partition }) => partition === checkpoint.partition)!,
        checkpoint,
      ),
    );
    const moved = fresh.filter(({ batch, checkpoint }) => batch.position > checkpoint.position);
    if (moved.length > 0) {
      const events = fresh.length === 1 ? fresh[0]!.events : fresh.flatMap((part) => part.events).toSorted(byPosition);
      const parked = await applyEvents(
        options,
        events,
        checkpoints.some(({ parks }) => parks),
        transaction,
      );
      const logId = checkpoints[0]!.logId ?? (await options.logId());
      await moveCheckpoints(
        transaction,
        moved.map(({ batch }) => batch),
        { logId, parks: parked > 0 },
      );
      return { applied: fresh.map(standing), parked };
    }
    return { applied: fresh.map(standing), parked: 0 };
  });
}

interface FreshPart {
  readonly batch: PartitionBatch;
  readonly checkpoint: Checkpoint;
  readonly events: readonly RecordedEvent[];
}

function freshPart(batch: PartitionBatch, checkpoint: Checkpoint): FreshPart {
  if (checkpoint.position < batch.after) throw new CheckpointBehind(checkpoint);
  return { batch, checkpoint, events: batch.events.filter(({ position }) => position > checkpoint.position) };
}

function standing({ batch, checkpoint, events }: FreshPart): Applied {
  const position = batch.position > checkpoint.position ? batch.position : checkpoint.position;
  return { partition: batch.partition, position, changed: events.length > 0 };
}

const byPosition = (a: RecordedEvent, b: RecordedEvent): number => (a.position < b.position ? -1 : 1);

/** Applies events, except those that an operator has discarded. Returns how many were parked. */
export async function applyEvents(
  {
    consumer,
    decode,
    discarded,
    isolateAfter,
  }: Pick<ApplyOptions, 'consumer' | 'decode' | 'discarded' | 'isolateAfter'>,
  given: readonly RecordedEvent[],
  parks: boolean,
  transaction: ConsumerTransaction,
): Promise<number> {
  const never = await discarded(consumer.name);
  const events = never.size === 0 ? given : given.filter(({ position }) => !never.has(position));
  const free = parks ? await parkFollowers(events, transaction) : events;
  const before = events.length - free.length;
  if (free.length === 0) return before;
  const apply = async (some: readonly RecordedEvent[]): Promise<void> =>
    consumer.apply(await decode(some), transaction);
  if (isolateAfter !== undefined) return before + (await applyIsolating(apply, free, isolateAfter, transaction));
  await apply(free);
  return before;
}
