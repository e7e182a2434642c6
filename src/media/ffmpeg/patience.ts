export interface Patience {
  /** Begins again, unless it has ended. */
  renew(): void;
  /** Nothing more happens. */
  end(): void;
}

/** Milliseconds. Short enough that hardly any of a pause counts, long enough to cost nothing. */
const STEP = 1_000;

/**
 * Calls back once this process has run for so many milliseconds. Time in which it was stopped (a paused container, a
 * laptop asleep) does not count: what it waits for was stopped as well, and a plain timer would go off the moment
 * both wake up.
 */
export function startPatience(
  milliseconds: number,
  onEnd: () => void,
  now: () => number = () => performance.now(),
): Patience {
  const step = Math.min(STEP, milliseconds);
  let spent = 0;
  let last = now();
  const timer = setInterval(() => {
    const elapsed = now() - last;
    last += elapsed;
    spent += Math.min(elapsed, 2 * step);
    if (spent < milliseconds) return;
    clearInterval(timer);
    onEnd();
  }, step);
  return {
    renew: () => {
      spent = 0;
      last = now();
    },
    end: () => clearInterval(timer),
  };
}
