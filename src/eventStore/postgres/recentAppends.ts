import type { RecordedEvent } from '../../core/event.ts';
import type { EventBatch } from '../../core/eventStore.ts';
import type { PreparedAppend } from '../preparedAppend.ts';
import type { Outcome, Written } from './writeBatch.ts';

/** Kept for subscriptions that are a little behind; those that are further behind read the log. */
const MOST_EVENTS = 5_000;

/**
 * The events that this process has appended last. A subscription that is where a batch begins gets it from here, as it
 * would read it from the log.
 */
export interface RecentAppends {
  add(requests: readonly PreparedAppend[], written: Written): void;
  /** The next events after `after`, if they are kept and are not more than `most`. */
  next(
    after: bigint,
    options: { types?: readonly string[] | undefined; most?: number | undefined },
  ): EventBatch | undefined;
}

export function createRecentAppends(): RecentAppends {
  /** The oldest first. */
  const batches: (EventBatch & { readonly before: bigint })[] = [];
  let kept = 0;

  return {
    add(requests, written) {
      const batch = batchOf(requests, written);
      if (batch === undefined) return;
      const { events, position } = batch;
      batches.push({ ...batch, before: position - BigInt(events.length) });
      kept += events.length;
      while (kept > MOST_EVENTS && batches.length > 1) kept -= batches.shift()!.events.length;
    },
    next(after, { types, most = Infinity }) {
      const found = batches.findLast(({ before }) => before <= after);
      if (found?.before !== after || found.events.length > most) return undefined;
      if (types === undefined) return found;
      return { events: found.events.filter(({ type }) => types.includes(type)), position: found.position };
    },
  };
}

/** All that the batch recorded: its positions have no gap, because it held the lock of the head. Undefined when it recorded nothing. */
function batchOf(requests: readonly PreparedAppend[], { outcomes, time }: Written): EventBatch | undefined {
  if (time === undefined) return undefined;
  const events: RecordedEvent[] = [];
  outcomes.forEach((outcome, index) => {
    if (!isAppended(outcome)) return;
    const { stream, ids, types, data, metadata } = requests[index]!;
    ids.forEach((id, n) => {
      const last = ids.length - 1 - n;
      events.push({
        position: outcome.position - BigInt(last),
        stream,
        revision: outcome.revision - last,
        id,
        type: types[n]!,
        // Parsed, because only what JSON keeps of the objects is in the log.
        data: JSON.parse(data[n]!) as object,
        metadata: JSON.parse(metadata[n]!) as RecordedEvent['metadata'],
        time,
      });
    });
  });
  const last = events.at(-1);
  return last && { events, position: last.position };
}

function isAppended(outcome: Outcome): outcome is Extract<Outcome, { readonly repeated: boolean }> {
  return !(outcome instanceof Error) && !outcome.repeated;
}
