import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { applyBatches, type ApplyOptions, type PartitionBatch } from '../applyBatch.ts';
import { readCheckpoints, Superseded, type Checkpoint } from '../checkpoints.ts';
import { isEnvironmental } from '../parking/parking.ts';
import { CheckpointMoved, createGatheringWriter, type GatheringWriter } from './gatheringWriter.ts';
import { writerOf } from './writers.ts';

/** As for live batches (`lane.ts`), except that an environmental error is thrown: the caller decides what to do. */
const FAILURES_BEFORE_ISOLATING = 3;
/** Measured: with larger pages, events live so long that V8 copies them before it finds that they are garbage. */
const EVENTS_AT_ONCE = 2_000;
/** For `timeline`, which adds up its totals by statements of its own for each page (measured: 36 000 events/s instead of 25 000). */
const DEPENDENT_EVENTS_AT_ONCE = 10_000;
/** What has been gathered is written after this time, so that an interruption costs little, and the progress is shown. */
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
  /** So many rows are gathered before they are written; 20 000 by default. As many are being written meanwhile. */
  readonly rowsAtOnce?: number;
  onBatch?(done: BatchDone): void;
}

/**
 * Applies the log, from the checkpoints on, to tables that nobody else writes, or whose layout is one partition. The rows that
 * events change are gathered in memory, and written when there are many (`gatheringWriter.ts`); meanwhile the next ones are
 * gathered. With several partitions, as many writers do this for their share of the streams (`writers.ts`). Nothing is
 * written after it has returned or thrown. Returns the position that all partitions reached.
 */
export async function catchUp(options: CatchUpOptions): Promise<bigint> {
  const { pool, schema, until } = options;
  let suspect = 0n;
  for (;;) {
    const checkpoints = await readCheckpoints(pool, schema);
    // Events of parked streams must be parked too, and those that cannot be applied must be found.
    if (checkpoints.some(({ parks }) => parks)) return applyPageByPage(options, checkpoints, until);
    if (least(checkpoints) < suspect) {
      await applyPageByPage(options, checkpoints, suspect);
      continue;
    }
    try {
      return await gatherAndWrite(options, checkpoints, (position) => (suspect = position));
    } catch (error) {
      if (options.signal?.aborted === true || error instanceof Superseded || isEnvironmental(error)) throw error;
      if (error instanceof CheckpointMoved) suspect = 0n;
      else if (suspect <= least(checkpoints)) throw error;
    }
  }
}

/** `onRead` is called with the end of each page, before it is applied. */
async function gatherAndWrite(
  options: CatchUpOptions,
  checkpoints: readonly Checkpoint[],
  onRead: (position: bigint) => void,
): Promise<bigint> {
  const { store, until, signal, consumer, rowsAtOnce = 20_000 } = options;
  const writers = checkpoints.map((checkpoint) => createGatheringWriter(options, checkpoint));
  let reached = least(checkpoints);
  let saved = reached;
  let taken = 0;
  /** Whether all events that were given to the writers have been applied. */
  let isWhole = true;
  let since = performance.now();
  let written: Promise<unknown> = Promise.resolve();

  async function write(): Promise<void> {
    const done = { position: reached, events: taken };
    const begun = await allOf(writers.map((writer) => writer.write()));
    written = allOf(begun.map((each) => each.written)).then(() => options.onBatch?.(done));
    written.catch(() => undefined);
    saved = reached;
    taken = 0;
    since = performance.now();
  }

  try {
    const after = reached;
    const batchSize = consumer.independentBy === undefined ? DEPENDENT_EVENTS_AT_ONCE : EVENTS_AT_ONCE;
    const pages = store.readAll({ after, until, types: consumer.handles, batchSize, signal });
    for await (const { events, position } of pages) {
      onRead(position);
      isWhole = false;
      await takePage(options, writers, events, position);
      isWhole = true;
      reached = position;
      taken += events.length;
      const gathered = writers.reduce((sum, writer) => sum + writer.gathered, 0);
      if (gathered >= rowsAtOnce || performance.now() - since >= LONGEST_GATHERING_MS) await write();
    }
    // Nothing is locked when nothing has happened: another process may be changing the layout.
    if (reached > saved) await write();
    await written;
    signal?.throwIfAborted();
  } catch (error) {
    // A process that is told to stop loses nothing of what it has gathered.
    if (signal?.aborted === true && isWhole && reached > saved) {
      await write();
      await written;
    }
    throw error;
  } finally {
    await Promise.all(writers.map((writer) => writer.close()));
  }
  return reached;
}

/** If one writer fails, the others write what they have: an interruption costs them nothing. */
async function takePage(
  options: CatchUpOptions,
  writers: readonly GatheringWriter[],
  events: readonly RecordedEvent[],
  position: bigint,
): Promise<void> {
  const parts = shares(options, writers.length, events);
  const taken = await Promise.allSettled(writers.map((writer, partition) => writer.take(parts[partition]!, position)));
  const failed = taken.find((each) => each.status === 'rejected');
  if (failed === undefined) return;
  const others = writers.filter((_, partition) => taken[partition]!.status === 'fulfilled');
  await Promise.allSettled(others.map(async (writer) => (await writer.write()).written));
  throw failed.reason;
}

/** Waits for all of them, also when one fails. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

/** Applies each page in a transaction of its own, and parks the events that cannot be applied. */
async function applyPageByPage(
  options: CatchUpOptions,
  checkpoints: readonly Checkpoint[],
  until: bigint | undefined,
): Promise<bigint> {
  const { store, consumer, signal } = options;
  let after = least(checkpoints);
  for await (const { events, position } of store.readAll({ after, until, types: consumer.handles, signal })) {
    const from = after;
    const batches = shares(options, checkpoints.length, events).map((share, partition) => ({
      partition,
      after: from,
      position,
      events: share,
    }));
    await allOf(batches.map((batch) => writeShare(options, checkpoints.length, batch)));
    after = position;
    options.onBatch?.({ position, events: events.length });
  }
  signal?.throwIfAborted();
  return after;
}

const least = (checkpoints: readonly Checkpoint[]): bigint =>
  checkpoints.reduce((fewest, { position }) => (position < fewest ? position : fewest), checkpoints[0]!.position);

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
