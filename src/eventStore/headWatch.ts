import { abortable } from '../core/abortable.ts';

/** Knows how far the log reaches, and wakes those who wait for it to reach further. */
export interface HeadWatch {
  /** Tells it that the log reaches at least this far. */
  saw(position: bigint): void;
  /** A position beyond the given one that the log has reached, as soon as there is one. Throws the signal's reason. */
  beyond(position: bigint, signal: AbortSignal): Promise<bigint>;
  /** Whether anyone waits. */
  readonly awaited: boolean;
}

export function createHeadWatch(): HeadWatch {
  let head = 0n;
  let moved = Promise.withResolvers<void>();
  let waiting = 0;

  return {
    saw(position) {
      if (position <= head) return;
      head = position;
      moved.resolve();
      moved = Promise.withResolvers<void>();
    },
    async beyond(position, signal) {
      waiting++;
      try {
        while (head <= position) await abortable(moved.promise, signal);
        return head;
      } finally {
        waiting--;
      }
    },
    get awaited() {
      return waiting > 0;
    },
  };
}
