import type { EventStore } from '../core/eventStore.ts';

/** What lies between a position and the head of the log. */
export interface LogDistance {
  readonly events: number;
  /** Age of the oldest of these events; 0 when there is none. */
  readonly seconds: number;
}

export interface LogDistanceOptions {
  readonly store: Pick<EventStore, 'head' | 'readAll'>;
  /** Whether positions are consecutive numbers, as in PostgreSQL. Otherwise events are counted, up to 2 000. */
  readonly numbered: boolean;
}

/** Measures how far readers are behind a log. Of what a reader does not read, only its types count for the age. */
export type MeasureDistance = (after: bigint, head: bigint, types?: readonly string[]) => Promise<LogDistance>;

const MOST_COUNTED = 2_000;
const NOTHING: LogDistance = { events: 0, seconds: 0 };

export function createLogDistance({ store, numbered }: LogDistanceOptions): MeasureDistance {
  return async (after, head, types) => {
    if (after >= head) return NOTHING;
    let counted = 0;
    let oldest: Date | undefined;
    const batchSize = numbered ? 1 : 500;
    for await (const { events } of store.readAll({ after, until: head, batchSize, ...(types && { types }) })) {
      oldest ??= events[0]?.time;
      counted += events.length;
      if (numbered ? oldest !== undefined : counted >= MOST_COUNTED) break;
    }
    const seconds = oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1_000);
    return { events: numbered ? Number(head - after) : Math.min(counted, MOST_COUNTED), seconds };
  };
}
