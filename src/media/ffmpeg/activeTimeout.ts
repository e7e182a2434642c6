export interface ActiveTimeout {
  /** Starts the time anew, unless it is already up. */
  renew(): void;
  end(): void;
}

/** Milliseconds. Short enough to count hardly any time in which the process was stopped, long enough to cost nothing. */
const STEP = 1_000;

/**
 * Calls back once this process has been running for so many milliseconds. Time in which it was stopped (a paused
 * container, a laptop asleep) does not count: what it waits for was stopped as well, and a plain timer would fire the
 * moment both go on.
 */
export function startActiveTimeout(
  milliseconds: number,
  onTimeout: () => void,
  now: () => number = () => performance.now(),
): ActiveTimeout {
  const step = Math.min(STEP, milliseconds);
  let spent = 0;
  let last = now();
  const timer = setInterval(() => {
    const elapsed = now() - last;
    last += elapsed;
    spent += Math.min(elapsed, 2 * step);
    if (spent < milliseconds) return;
    clearInterval(timer);
    onTimeout();
  }, step);
  return {
    renew: () => {
      spent = 0;
      last = now();
    },
    end: () => clearInterval(timer),
  };
}
