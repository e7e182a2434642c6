import { createWakeUp } from '../core/wakeUp.ts';

/** Knows how far the log reaches, and wakes those who wait until it reaches further. */
export interface HeadWatch {
  /** Reports that the log reaches at least this position. */
  saw(position: bigint): void;
  /** Waits until the log has gone beyond a position, and answers how far it reaches. Throws the signal's reason. */
  beyond(position: bigint, signal: AbortSignal): Promise<bigint>;
  /** Whether anyone waits in `beyond`. */
  readonly awaited: boolean;
}

export function createHeadWatch(): HeadWatch {
  const moved = createWakeUp();
  let head = 0n;
  let waiting = 0;

  return {
    saw(position) {
      if (position <= head) return;
      head = position;
      moved.wake();
    },
    async beyond(position, signal) {
      waiting++;
      try {
        while (head <= position) await moved.next(signal);
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
