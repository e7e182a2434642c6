import { withDiscardedRead } from '../parking/discarded.ts';
import { install, isDeclared } from '../checkpoints.ts';
import { installLive } from '../tables/firstBuild.ts';
import { countParked } from '../status.ts';
import { hasDeclaredTables } from '../tables/sameTables.ts';
import { catchUp, type BatchDone } from './catchUp.ts';
import { exclusively } from './exclusively.ts';
import { nextSchema } from './schemas.ts';
import { isOvertaken, swap, type SwapOptions } from './swap.ts';
import { writersOf } from './writers.ts';

/** So many events may be left for the moment in which the live tables are locked. */
const CLOSE_ENOUGH = 2_000;

export interface RebuildProgress {
  readonly position: bigint;
  readonly head: bigint;
  /** Applied since this run began. */
  readonly events: number;
  /** Positions per second. */
  readonly rate: number;
  /** Seconds; undefined until there is a rate. */
  readonly timeLeft: number | undefined;
}

export interface RebuildOptions extends SwapOptions {
  readonly signal?: AbortSignal;
  onProgress?(progress: RebuildProgress): void;
}

/**
 * Builds the consumer's tables from the log, beside the live ones, and replaces the live ones in one transaction: queries
 * see the old rows or the new ones, never none. Live delivery may continue meanwhile, in any process and from any source.
 * After an interruption, the next rebuild continues where this one stopped.
 * @throws RebuildUnderWay
 */
export async function rebuild(options: RebuildOptions): Promise<void> {
  await exclusively(options.pool, options.consumer.name, () => buildAndSwap(options));
}

/** `rebuild`, for a caller that holds the lock of `exclusively`. */
export async function buildAndSwap(given: RebuildOptions): Promise<void> {
  const { pool, consumer } = given;
  if (isOvertaken(given, await installLive(pool, consumer))) return;
  const options = await withDiscardedRead(given);
  const next = { ...options, schema: nextSchema(consumer.name) };
  await catchUpToHead(next, await begin(next));
  await swap(next);
  const parked = await countParked(pool, consumer.name);
  if (parked > 0)
    given.logger.error(
      { consumer: consumer.name, parked },
      'the rebuild parked events; "projections parked list" shows them with their errors',
    );
}

/** Applies the log to the tables in `schema`, until few events are left for the swap. */
export async function catchUpToHead(options: RebuildOptions, from: bigint): Promise<void> {
  const report = reporter(options, from);
  for (let events = Infinity; events > CLOSE_ENOUGH;) {
    events = 0;
    const head = await options.store.head();
    const onBatch = (done: BatchDone): void => {
      events += done.events;
      report(done, head);
    };
    await catchUp({ ...options, until: head, onBatch });
  }
}

async function begin(options: RebuildOptions): Promise<bigint> {
  const { pool, consumer, schema } = options;
  const partitions = writersOf(consumer);
  const found = await install(pool, consumer, schema, { partitions });
  const half = found[0]!;
  const ofThisLog = half.logId === null || half.logId === (await options.logId());
  const canContinue = isDeclared(half, consumer) && ofThisLog && (await hasDeclaredTables(pool, consumer, schema));
  if (found.length === partitions && canContinue) return half.position;
  await pool.query(`drop schema "${schema}" cascade`);
  return (await install(pool, consumer, schema, { partitions }))[0]!.position;
}

function reporter({ onProgress }: RebuildOptions, from: bigint): (done: BatchDone, head: bigint) => void {
  const began = performance.now();
  let events = 0;
  return (done, head) => {
    events += done.events;
    const seconds = (performance.now() - began) / 1_000;
    const rate = seconds > 0 ? Number(done.position - from) / seconds : 0;
    const timeLeft = rate > 0 ? Number(head - done.position) / rate : undefined;
    onProgress?.({ position: done.position, head, events, rate, timeLeft });
  };
}
