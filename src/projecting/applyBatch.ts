import type pg from 'pg';
import type { RecordedEvent } from '../core/event.ts';
import type { EventCodec } from '../core/eventCodec.ts';
import { CheckpointBehind, moveCheckpoints, noteParks, type Checkpoint, type ExactMove } from './checkpoints.ts';
import type { Consumer, ConsumerTransaction } from './consumer.ts';
import type { ReadDiscarded } from './parking/discarded.ts';
import { applyIsolating, parkFollowers } from './parking/parking.ts';
import { beginning, kyselyOn, requireCommitted, withRollback } from './transaction.ts';

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

/** What became of the batches, in the order of their partitions. */
export interface BatchesApplied {
  readonly applied: readonly Applied[];
  /** How many events were parked. */
  readonly parked: number;
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
): Promise<BatchesApplied> {
  const { pool, schema } = options;
  const part = { options, partitions, batches };
  const move = await moveOf(part);
  return withRollback(pool, async (client) => {
    // Sent together. No rows are written before both are answered.
    const [, [checkpoints]] = await Promise.all([client.query(beginning({ schema })), moveCheckpoints(client, [move])]);
    const applied = await writePart(part, checkpoints!, { client, db: kyselyOn(client) });
    requireCommitted(await client.query('commit'));
    return applied;
  });
}

/** What one consumer does in a transaction. */
export interface Part {
  readonly options: ApplyOptions;
  readonly partitions: number;
  readonly batches: readonly PartitionBatch[];
}

export async function moveOf({ options, partitions, batches }: Part): Promise<ExactMove> {
  const { schema, consumer } = options;
  const { version, variant } = consumer;
  return { schema, places: batches, partitions, version, variant, logId: await options.logId() };
}

/**
 * Writes the rows of a part.
 * @param checkpoints as they were before the transaction moved them
 * @throws CheckpointBehind
 */
export async function writePart(
  { options, batches }: Part,
  checkpoints: readonly Checkpoint[],
  transaction: ConsumerTransaction,
): Promise<BatchesApplied> {
  const fresh = checkpoints.map((checkpoint) =>
    freshPart(
      batches.find(({ partition }) => partition === checkpoint.partition)!,
      checkpoint,
    ),
  );
  const applied = fresh.map(standing);
  if (!fresh.some(({ batch, checkpoint }) => batch.position > checkpoint.position)) return { applied, parked: 0 };
  const events = eventsOf(fresh);
  const parks = checkpoints.some((checkpoint) => checkpoint.parks);
  const parked = await applyEvents(options, events, parks, transaction);
  const places = checkpoints.map(({ partition }) => partition);
  if (parked > 0) await noteParks(transaction.client, places);
  return { applied, parked };
}

/** In the order of the log. */
export function eventsOf(parts: readonly Pick<PartitionBatch, 'events'>[]): readonly RecordedEvent[] {
  return parts.length === 1 ? parts[0]!.events : parts.flatMap(({ events }) => events).toSorted(byPosition);
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
