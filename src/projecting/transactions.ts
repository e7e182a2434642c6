import { abortable, pause } from '../core/abortable.ts';
import { withTimeout } from '../core/withTimeout.ts';
import type { EventSource } from '../delivery/eventSource.ts';
import { applyBatches, type BatchesApplied, type Part } from './applyBatch.ts';
import type { Consumer } from './consumer.ts';

/** How a lane writes its batches. */
export interface Transactions {
  /** As `applyBatches`. */
  apply(part: Part): Promise<BatchesApplied>;
  /** Waits before the next batch is read. */
  gather(after: Taken, signal: AbortSignal): Promise<void>;
}

/** What a lane took last. */
export interface Taken {
  /** How many events of the consumer. */
  readonly events: number;
  /** How many partitions there are in all. */
  readonly partitions: number;
}

/** The longest pause. Measured at 3 500 likes per second: shorter ones cost more CPU time, longer ones more waiting. */
const GATHER_MS = 5;
/** The same for a projection that nothing waits for (`Projection.awaited`). */
const LONG_GATHER_MS = 100;
/** After so many events, the next ones have arrived already. */
const MANY_EVENTS = 100;

/**
 * Milliseconds to wait after a transaction with few events, so that the next one takes several together. One transaction for
 * each event would keep the whole machine busy, and slow down all answers. When events come singly, nothing waits, unless they
 * come through Kafka: it gathers them by itself, and each partition brings its share at a time of its own.
 */
export function gatherMs({ events, partitions }: Taken): number {
  if (events >= MANY_EVENTS) return 0;
  // A batch of other events costs no transaction, but each batch wakes every lane.
  if (events === 0 || partitions > 1) return GATHER_MS;
  return Math.min(GATHER_MS, 2 * (events - 1));
}

/** A transaction for each batch. */
export function ownTransactions({ awaited }: Pick<Consumer, 'awaited'>): Transactions {
  const isLong = ({ events }: Taken): boolean => awaited === false && events > 0 && events < MANY_EVENTS;
  return {
    apply: ({ options, partitions, batches }) => applyBatches(options, partitions, batches),
    gather: (taken, signal) => pauseFor(isLong(taken) ? LONG_GATHER_MS : gatherMs(taken), signal),
  };
}

/** Ends early when nothing more is about to come, as far as this process knows. */
export async function pauseFor(ms: number, signal: AbortSignal, moreToCome?: EventSource['moreToCome']): Promise<void> {
  if (ms <= 0) return;
  if (moreToCome === undefined) return pause(ms, signal);
  const quiet = moreToCome();
  if (quiet !== undefined) await withTimeout(abortable(quiet, signal), ms, () => undefined);
}
