import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { applyBatches, type ApplyOptions, type PartitionBatch } from '../applyBatch.ts';
import { readCheckpoints } from '../checkpoints.ts';
import { isEnvironmental } from '../parking/parking.ts';
import { slowHeapGrowth } from './slowHeapGrowth.ts';
import { writerOf } from './writers.ts';

/** As for live batches (`lane.ts`), except that an environmental error is thrown: the caller decides what to do. */
const FAILURES_BEFORE_ISOLATING = 3;
/**
 * So many events are written together. Events of one row come close to each other, so a large batch writes the row once where
 * small ones write it again and again. Two of them are in memory: one is written while the next is read.
 */
const EVENTS_AT_ONCE = 10_000;
/** What has been read is written after this time, so that an interruption costs little, and the progress is shown. */
const LONGEST_GATHERING_MS = 1_000;

export interface BatchDone {
  readonly position: bigint;
  readonly events: number;
}

export interface CatchUpOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll'>;
  /** Inclusive; the head by default. */
  readonly until?: bigint;
  readonly signal?: AbortSignal;
  onBatch?(done: BatchDone): void;
}

/**
 * Applies the log, from the checkpoints on, to tables that nobody else writes, or whose layout is one partition. PostgreSQL
 * writes one batch while this process reads the next; with several partitions, they are the shares of as many writers
 * (`writers.ts`). Nothing is written after it has returned or thrown. Returns the position that all partitions reached.
 */
export async function catchUp(options: CatchUpOptions): Promise<bigint> {
  const { pool, schema, store, until, signal, consumer } = options;
  using _ = slowHeapGrowth();
  const checkpoints = await readCheckpoints(pool, schema);
  let after = checkpoints.reduce(
    (least, { position }) => (position < least ? position : least),
    checkpoints[0]!.position,
  );
  let read = after;
  let gathered: RecordedEvent[] = [];
  let gatheredSince = performance.now();
  let writing: Promise<void> = Promise.resolve();

  async function write(events: readonly RecordedEvent[], from: bigint, position: bigint): Promise<void> {
    const batches = shares(options, checkpoints.length, events).map((share, partition) => ({
      partition,
      after: from,
      position,
      events: share,
    }));
    const written = await Promise.allSettled(batches.map((batch) => writeShare(options, checkpoints.length, batch)));
    const failed = written.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    options.onBatch?.({ position, events: events.length });
  }

  async function writeGathered(): Promise<void> {
    await writing;
    writing = write(gathered, after, read);
    // It is awaited before the next batch is written. Until then, a failure must not count as unhandled.
    writing.catch(() => undefined);
    after = read;
    gathered = [];
    gatheredSince = performance.now();
  }

  try {
    for await (const { events, position } of store.readAll({ after, until, types: consumer.handles, signal })) {
      for (const event of events) gathered.push(event);
      read = position;
      if (gathered.length >= EVENTS_AT_ONCE || performance.now() - gatheredSince >= LONGEST_GATHERING_MS)
        await writeGathered();
    }
    if (read > after) await writeGathered();
    await writing;
    signal?.throwIfAborted();
  } finally {
    await writing.catch(() => undefined);
  }
  return after;
}

/** The events of each writer, in their order. */
function shares(
  { consumer }: CatchUpOptions,
  writers: number,
  events: readonly RecordedEvent[],
): (readonly RecordedEvent[])[] {
  if (writers === 1) return [events];
  const shares = Array.from({ length: writers }, (): RecordedEvent[] => []);
  for (const event of events) shares[writerOf(consumer, event.stream, writers)]!.push(event);
  return shares;
}

async function writeShare(options: CatchUpOptions, partitions: number, batch: PartitionBatch): Promise<void> {
  for (let failures = 0; ;) {
    try {
      const isolateAfter = failures < FAILURES_BEFORE_ISOLATING ? undefined : failures;
      await applyBatches({ ...options, isolateAfter }, partitions, [batch]);
      return;
    } catch (error) {
      if (isEnvironmental(error) || failures === FAILURES_BEFORE_ISOLATING) throw error;
      failures++;
    }
  }
}
