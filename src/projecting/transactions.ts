import { pause } from '../core/abortable.ts';
import { applyBatches, type BatchesApplied, type Part } from './applyBatch.ts';
import type { Consumer } from './consumer.ts';

/** How a lane writes its batches. */
export interface Transactions {
  /** As `applyBatches`. */
  apply(part: Part): Promise<BatchesApplied>;
  /** Waits before the next batch is read, after one with so many events of the consumer. */
  gather(events: number, signal: AbortSignal): Promise<void>;
}

/** The longest pause. */
const GATHER_MS = 8;
/** The same for a projection that nothing waits for (`Projection.awaited`). */
const LONG_GATHER_MS = 100;
/** After so many events, the next ones have arrived already. */
const MANY_EVENTS = 100;

/**
 * Milliseconds to wait after a transaction with few events, so that the next one takes several together. One transaction for
 * each event would keep the whole machine busy, and slow down all answers. When events come singly, nothing waits.
 */
export function gatherMs(events: number): number {
  if (events >= MANY_EVENTS) return 0;
  // A batch of other events costs no transaction, but each batch wakes every lane.
  return events === 0 ? GATHER_MS : Math.min(GATHER_MS, 2 * (events - 1));
}

/** A transaction for each batch. */
export function ownTransactions({ awaited }: Pick<Consumer, 'awaited'>): Transactions {
  const ms = (events: number): number =>
    awaited === false && events > 0 && events < MANY_EVENTS ? LONG_GATHER_MS : gatherMs(events);
  return {
    apply: ({ options, partitions, batches }) => applyBatches(options, partitions, batches),
    gather: (events, signal) => pauseFor(ms(events), signal),
  };
}

/** Without a timer when there is nothing to wait for. */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await pause(ms, signal);
}
