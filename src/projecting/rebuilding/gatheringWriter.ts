import type { RecordedEvent } from '../../core/event.ts';
import type { ApplyOptions } from '../applyBatch.ts';
import { lockCheckpoints, moveCheckpoints, type Checkpoint } from '../checkpoints.ts';
import type { ConsumerTransaction } from '../consumer.ts';
import { createGatheredRows } from '../tables/gatheredRows.ts';
import { writeRows } from '../tables/upsert.ts';
import { inTransaction } from '../transaction.ts';
import { gatheringTransaction } from '../tables/gatheringTransaction.ts';

/** Another process has moved the checkpoint: what was gathered is in the rows already. Nothing was changed. */
export class CheckpointMoved extends Error {
  constructor({ partition, position }: Pick<Checkpoint, 'partition' | 'position'>) {
    super(`another process has moved the checkpoint of partition ${partition} to ${position}`);
    this.name = 'CheckpointMoved';
  }
}

/** Applies the events of one partition, and gathers the rows that they change until it is told to write them. */
export interface GatheringWriter {
  /** How many rows are gathered. */
  readonly gathered: number;
  /** Applies events up to this position; those at or below the checkpoint are skipped. */
  take(events: readonly RecordedEvent[], position: bigint): Promise<void>;
  /**
   * Begins to write what is gathered, and the checkpoint, in one transaction; first waits until the writing before it has ended. The
   * result resolves when it is committed.
   */
  write(): Promise<{ written: Promise<void> }>;
  /** Waits for what is being written, and gives up the rest. Never rejects. */
  close(): Promise<void>;
}

/** What is gathered between two commits. */
interface Round {
  readonly transaction: ConsumerTransaction;
  readonly gathered: number;
  commit(position: bigint): Promise<void>;
  abandon(): Promise<void>;
}

export function createGatheringWriter(options: ApplyOptions, checkpoint: Checkpoint): GatheringWriter {
  let writing: Promise<void> = Promise.resolve();
  let { position } = checkpoint;
  let round = createRound(options, checkpoint, writing);
  return {
    get gathered() {
      return round.gathered;
    },
    async take(events, reached) {
      if (reached <= position) return;
      const fresh = await freshOf(options, events, position);
      if (fresh.length > 0) await options.consumer.apply(await options.decode(fresh), round.transaction);
      position = reached;
    },
    async write() {
      await writing;
      const written = round.commit(position);
      // The next round awaits it. Until then, a failure must not count as unhandled.
      written.catch(() => undefined);
      writing = written;
      round = createRound(options, { ...checkpoint, position }, written);
      return { written };
    },
    async close() {
      await writing.catch(() => undefined);
      await round.abandon();
    },
  };
}

async function freshOf(
  { consumer, discarded }: ApplyOptions,
  events: readonly RecordedEvent[],
  after: bigint,
): Promise<readonly RecordedEvent[]> {
  const never = await discarded(consumer.name);
  if (never.size === 0 && (events.length === 0 || events[0]!.position > after)) return events;
  return events.filter(({ position }) => position > after && !never.has(position));
}

class Abandoned extends Error {}

function createRound(options: ApplyOptions, from: Checkpoint, before: Promise<void>): Round {
  const { pool, schema, consumer } = options;
  const begun = Promise.withResolvers<ConsumerTransaction>();
  const ending = Promise.withResolvers<bigint>();
  let done: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    await before;
    await inTransaction(pool, { schema }, async (transaction) => {
      const { version, variant } = consumer;
      const layout = { partitions: from.partitions, version, variant };
      const [found] = await lockCheckpoints(transaction.client, schema, [from.partition], layout);
      if (found!.position !== from.position) throw new CheckpointMoved(found!);
      begun.resolve(transaction);
      const position = await ending.promise;
      await rows.writeAll();
      const logId = found!.logId ?? (await options.logId());
      const places = [{ partition: from.partition, position }];
      await moveCheckpoints(transaction.client, [{ schema, places, ...layout, logId }]);
    });
  };
  const begin = (): Promise<ConsumerTransaction> => {
    done ??= run();
    done.catch((error: unknown) => begun.reject(error as Error));
    return begun.promise;
  };
  begun.promise.catch(() => undefined);
  ending.promise.catch(() => undefined);
  const rows = createGatheredRows(async (table, some, changes) => writeRows((await begin()).db, table, some, changes));
  return {
    transaction: gatheringTransaction(rows, begin),
    get gathered() {
      return rows.count;
    },
    commit(position) {
      void begin().catch(() => undefined);
      ending.resolve(position);
      return done!;
    },
    async abandon() {
      ending.reject(new Abandoned());
      await done?.catch(() => undefined);
    },
  };
}
