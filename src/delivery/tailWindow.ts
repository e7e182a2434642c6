import type { RecordedEvent } from '../core/event.ts';
import type { EventBatch } from '../core/eventStore.ts';

/** About the size of a page of the store. Larger batches are not faster. */
const MOST_AT_ONCE = 5_000;

/** The newest events of a partition, in memory, for readers that are at about the same place. */
export interface TailWindow {
  /**
   * Empties the window. Events up to `position` are no longer buffered: `take` answers `'older'`, and they are read
   * from the store.
   */
  startAt(position: bigint): void;
  /**
   * Adds the events in (previous, position], except those that are here already. When `previous` is beyond the end of
   * the window, events were missed: the window starts again at `previous`, and `take` answers `'older'` for the gap.
   */
  push(previous: bigint, position: bigint, events: readonly RecordedEvent[]): void;
  /** The events after `after`; `'older'` when some of them are before the window; undefined when there are none yet. */
  take(after: bigint): EventBatch | 'older' | undefined;
  /** Exclusive: the window holds all events after it. Undefined while it holds nothing. */
  readonly start: bigint | undefined;
  /** Inclusive. */
  readonly end: bigint | undefined;
  /** Number of events after a position. It may count a few events before it too: whole pieces are counted. */
  countBeyond(position: bigint): number;
  /** Makes the window as it was at the beginning. */
  forget(): void;
}

interface Piece {
  readonly previous: bigint;
  readonly position: bigint;
  readonly events: readonly RecordedEvent[];
}

/** `mostEvents`: when the window holds more, it drops the oldest. */
export function createTailWindow(mostEvents: number): TailWindow {
  let pieces: Piece[] = [];
  let start: bigint | undefined;
  let end: bigint | undefined;
  let size = 0;

  return {
    startAt(position) {
      pieces = [];
      size = 0;
      start = end = position;
    },
    push(previous, position, events) {
      if (end !== undefined && position <= end) return;
      if (end === undefined || previous > end) {
        pieces = [];
        size = 0;
        start = previous;
      }
      const known = end !== undefined && end > previous ? end : previous;
      const fresh = known === previous ? events : events.filter((event) => event.position > known);
      const last = pieces.at(-1);
      if (fresh.length === 0 && last !== undefined) pieces[pieces.length - 1] = { ...last, position };
      else pieces.push({ previous: known, position, events: fresh });
      end = position;
      size += fresh.length;
      while (pieces.length > 1 && size - pieces[0]!.events.length >= mostEvents) {
        const dropped = pieces.shift()!;
        size -= dropped.events.length;
        start = dropped.position;
      }
    },
    take(after) {
      if (start === undefined || end === undefined || after >= end) return undefined;
      if (after < start) return 'older';
      const first = pieces.findLastIndex(({ previous }) => previous <= after);
      const events: RecordedEvent[] = [];
      let position = after;
      for (let index = first; index < pieces.length && (index === first || events.length < MOST_AT_ONCE); index++) {
        const piece = pieces[index]!;
        for (const event of piece.events) if (event.position > after) events.push(event);
        ({ position } = piece);
      }
      return { events, position };
    },
    countBeyond(position) {
      return pieces.reduce((sum, piece) => (piece.position > position ? sum + piece.events.length : sum), 0);
    },
    forget() {
      pieces = [];
      size = 0;
      start = end = undefined;
    },
    get start() {
      return start;
    },
    get end() {
      return end;
    },
  };
}
