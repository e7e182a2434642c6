/** One of our figures, compared with the usual way to do it, measured in the same run on the same machine. */
export interface Comparison {
  readonly what: string;
  readonly peer: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  /** CPU time of one operation. */
  readonly cpu?: { readonly ours: CpuTime; readonly theirs: CpuTime };
  /** The required ratio `ours / theirs`. Without a requirement the figure is for information. */
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Its name in the chart of the README. Without one it is only in the table. */
  readonly chart?: string;
}

/** µs. */
export interface CpuTime {
  /** Of the measured process, with all its threads. */
  readonly process: number;
  /** Of PostgreSQL, with all its processes. */
  readonly postgres?: number;
}

export interface Benchmark {
  readonly name: string;
  /** Whether it runs only when it is named. */
  readonly byNameOnly?: true;
  /** @throws when what was measured did not give the right result */
  run(): Promise<readonly Comparison[]>;
}

/** How many times per second `callers` concurrent callers do something, each for `ms` milliseconds. */
export async function rate(callers: number, ms: number, once: (caller: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let done = 0;
  const call = async (caller: number): Promise<void> => {
    while (performance.now() - start < ms) {
      await once(caller);
      done++;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return done / ((performance.now() - start) / 1_000);
}

/** Measures both in turns, so that other work of the machine affects both. Returns the medians. */
export async function inTurns(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<{ ours: number; theirs: number }> {
  const results: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    results.theirs.push(await theirs());
    results.ours.push(await ours());
  }
  return { ours: percentile(results.ours, 0.5), theirs: percentile(results.theirs, 0.5) };
}

export function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!;
}
