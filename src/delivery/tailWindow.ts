import type { RecordedEvent } from '../core/event.ts';
import type { EventBatch } from '../core/eventStore.ts';

/** About what a page of the store has: larger batches gain nothing. */
const MOST_AT_ONCE = 5_000;

/** The newest events of a partition, in memory, for readers that are at about the same place. */
export interface TailWindow {
  /** Forgets what it has, and says that nothing up to `position` is to be had here: who wants it finds it to be 'older'. */
  startAt(position: bigint): void;
  /**
   * Adds what lies in (previous, position]. What it has already, it leaves out. When `previous` is beyond its end,
   * something was missed: it begins anew, and readers find the gap to be 'older'.
   */
  push(previous: bigint, position: bigint, events: readonly RecordedEvent[]): void;
  /** What follows `after`; 'older' when that begins before the window, undefined when there is nothing beyond it yet. */
  take(after: bigint): EventBatch | 'older' | undefined;
  /** Its first position, exclusive: a reader at or beyond it finds all it needs here. */
  readonly start: bigint | undefined;
  readonly end: bigint | undefined;
  countBeyond(position: bigint): number;
  /** As at the beginning. */
  forget(): void;
}

interface Piece {
  readonly previous: bigint;
  readonly position: bigint;
  readonly events: readonly RecordedEvent[];
}

/** `mostEvents` bounds the memory; the oldest go first. */
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
