import type { EventStore } from '../../core/eventStore.ts';
import { applyBatches, type ApplyOptions } from '../applyBatch.ts';
import { isEnvironmental } from '../parking/parking.ts';

/** As for live batches (`lane.ts`), except that an environmental error is thrown: the caller decides what to do. */
const FAILURES_BEFORE_ISOLATING = 3;

export interface BatchDone {
  readonly position: bigint;
  readonly events: number;
}

export interface CatchUpOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly after: bigint;
  /** Inclusive; the head by default. */
  readonly until?: bigint;
  readonly signal?: AbortSignal;
  onBatch?(done: BatchDone): void;
}

/** Applies the log, page by page, to a consumer whose layout is one partition. Returns the position that it reached. */
export async function catchUp(options: CatchUpOptions): Promise<bigint> {
  const { store, until, signal, consumer } = options;
  let { after } = options;
  for await (const { events, position } of store.readAll({ after, until, types: consumer.handles, signal })) {
    for (let failures = 0; ;) {
      try {
        const isolateAfter = failures < FAILURES_BEFORE_ISOLATING ? undefined : failures;
        await applyBatches({ ...options, isolateAfter }, 1, [{ partition: 0, after, position, events }]);
        break;
      } catch (error) {
        if (isEnvironmental(error) || failures === FAILURES_BEFORE_ISOLATING) throw error;
        failures++;
      }
    }
    after = position;
    options.onBatch?.({ position, events: events.length });
  }
  return after;
}
