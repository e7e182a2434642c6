import type pg from 'pg';
import type { EventSource } from '../delivery/eventSource.ts';
import { applyBatches, moveOf, writePart, type BatchesApplied, type Part } from './applyBatch.ts';
import { moveCheckpoints, Superseded, type Checkpoint } from './checkpoints.ts';
import type { Consumer, ConsumerTransaction } from './consumer.ts';
import { createOneTrip } from './oneTrip.ts';
import { scopesOf } from './scopes.ts';
import { gatherMs, pauseFor, type Transactions } from './transactions.ts';
import { beginning, requireCommitted, withRollback } from './transaction.ts';
import type { WrittenRows } from './writtenRows.ts';

/** Large batches are written side by side, on a connection each. */
const MOST_EVENTS = 500;
/** A consumer that made a shared transaction fail has transactions of its own for so long. */
const ALONE_MS = 5_000;

/** Whether a consumer's batches may share a transaction: they change nothing but rows, and something waits for these. */
export function canShare({ fingerprint, awaited }: Pick<Consumer, 'fingerprint' | 'awaited'>): boolean {
  return fingerprint !== undefined && awaited !== false;
}

/**
 * One transaction for the batches of several consumers that have got the same events: one event costs one round trip,
 * however many projections it changes, or three, if one of them reads before it writes.
 *
 * Sharing changes nothing else. When it is not possible, each batch is applied in a transaction of its own: when a checkpoint
 * is locked, so that the swap of one projection delays no other; when a consumer has parked events; when anything fails.
 */
export function createSharedTransactions(
  pool: pg.Pool,
  source: Pick<EventSource, 'moreToCome'>,
  written: Pick<WrittenRows, 'keep'>,
): Transactions {
  const oneTrip = createOneTrip(pool, written);
  let waiting: Waiting[] = [];
  let running = false;
  let resumeAt = 0;
  const aloneUntil = new Map<string, number>();

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      // All lanes that the same events have woken.
      await new Promise(setImmediate);
      const group = waiting.toSorted((a, b) => (nameOf(a.part) < nameOf(b.part) ? -1 : 1));
      waiting = [];
      await applyGroup(group);
    }
    running = false;
  }

  async function applyGroup(group: readonly Waiting[]): Promise<void> {
    const parts = group.map(({ part }) => part);
    const failed = (part: Part): void => void aloneUntil.set(nameOf(part), performance.now() + ALONE_MS);
    try {
      const results = (await oneTrip.apply(parts)) ?? (await applyTogether(pool, parts, failed));
      gatherAfter(parts);
      group.forEach(({ resolve }, index) => resolve(results[index]!));
    } catch {
      // If a batch cannot be applied alone either, its lane gets the error.
      for (const { part, resolve } of group) resolve(applyAlone(part));
    }
  }

  async function applyAlone(part: Part): Promise<BatchesApplied> {
    const { options, partitions, batches } = part;
    const applied = await applyBatches(options, partitions, batches);
    gatherAfter([part]);
    return applied;
  }

  function gatherAfter(parts: readonly Part[]): void {
    const events = Math.max(...parts.map(eventsOf));
    resumeAt = Math.max(resumeAt, performance.now() + gatherMs({ events, partitions: parts[0]!.partitions }));
  }

  return {
    apply(part) {
      const alone = performance.now() < (aloneUntil.get(nameOf(part)) ?? 0);
      if (alone || part.options.isolateAfter !== undefined || eventsOf(part) > MOST_EVENTS) return applyAlone(part);
      const { promise, resolve } = Promise.withResolvers<BatchesApplied>();
      waiting.push({ part, resolve });
      if (!running) void run();
      return promise;
    },
    // Until the same moment for all, so that they stay together.
    gather: (taken, signal) =>
      taken.events === 0
        ? pauseFor(gatherMs(taken), signal)
        : pauseFor(resumeAt - performance.now(), signal, source.moreToCome),
  };
}

interface Waiting {
  readonly part: Part;
  readonly resolve: (applied: BatchesApplied | Promise<BatchesApplied>) => void;
}

const nameOf = ({ options }: Part): string => options.consumer.name;
const eventsOf = ({ batches }: Part): number => batches.reduce((sum, { events }) => sum + events.length, 0);

/** Applies all parts or none. Calls `failed` with each that cannot be applied together with others. */
async function applyTogether(
  pool: pg.Pool,
  parts: readonly Part[],
  failed: (part: Part) => void,
): Promise<readonly BatchesApplied[]> {
  const { schema } = parts[0]!.options;
  const moves = await Promise.all(parts.map(moveOf));
  return withRollback(pool, async (client) => {
    const scopes = scopesOf(client);
    scopes.begin(schema);
    // Sent together. No rows are written before both are answered.
    const [, checkpoints] = await Promise.all([
      client.query(beginning({ schema })),
      moveCheckpoints(client, moves, { skipLocked: true }).catch((error: unknown) => {
        const cause = parts.find(({ options }) => error instanceof Superseded && options.schema === error.schema);
        if (cause !== undefined) failed(cause);
        throw error;
      }),
    ]);
    const writing: Promise<BatchesApplied>[] = [];
    for (const [index, part] of parts.entries()) {
      writing.push(writeShared(part, checkpoints[index]!, scopes.of(part.options.schema)));
      // Other processes may change the same rows, for other partitions. One part after the other, rows are locked in the
      // same order everywhere.
      if (part.partitions > 1) await Promise.allSettled(writing);
    }
    const applied = await allOf(parts, writing, failed);
    requireCommitted(await client.query('commit'));
    return applied;
  });
}

async function writeShared(
  part: Part,
  checkpoints: readonly Checkpoint[],
  transaction: ConsumerTransaction,
): Promise<BatchesApplied> {
  if (checkpoints.some(({ parks }) => parks)) throw new Error('the events may have to be parked');
  return writePart(part, checkpoints, transaction);
}

/** SQLSTATE in_failed_sql_transaction: another statement is the cause. */
const FAILED_BEFORE = '25P02';

/** Waits for all, because nothing may be sent after a rollback. */
async function allOf<T>(parts: readonly Part[], results: Promise<T>[], failed: (part: Part) => void): Promise<T[]> {
  const settled = await Promise.allSettled(results);
  const errors = settled.flatMap((result, index) =>
    result.status === 'rejected' ? [{ part: parts[index]!, reason: result.reason as unknown }] : [],
  );
  const causes = errors.filter(({ reason }) => (reason as { code?: unknown }).code !== FAILED_BEFORE);
  for (const { part } of causes) failed(part);
  if (errors.length > 0) throw (causes[0] ?? errors[0]!).reason;
  return settled.map((result) => (result as PromiseFulfilledResult<T>).value);
}
