import { readFile, writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Comparison } from './benchmark.ts';
import type { Machine } from './machine.ts';

/** What was measured on one machine, possibly in several runs. */
export interface Recorded {
  readonly machine: Machine;
  /** Milliseconds (`diskFlush`). */
  readonly diskFlush: number;
  /** By the name of the benchmark. */
  readonly benchmarks: Readonly<Record<string, { readonly commit: string; readonly results: readonly Comparison[] }>>;
}

const file = new URL('results.json', import.meta.url);

/** Undefined when nothing was recorded yet. */
export async function readRecorded(): Promise<Recorded | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as Recorded);
}

/**
 * Keeps the results of a benchmark in results.json, in place of those of its last run. Results of another machine are dropped:
 * figures of two machines in one table would be compared.
 */
export async function record(
  { machine, diskFlush }: Pick<Recorded, 'machine' | 'diskFlush'>,
  name: string,
  commit: string,
  results: readonly Comparison[],
): Promise<Recorded> {
  const before = await readRecorded();
  const kept = before !== undefined && isDeepStrictEqual(before.machine, machine) ? before.benchmarks : {};
  const rounded = results.map((result) => ({
    ...result,
    ours: round(result.ours),
    theirs: round(result.theirs),
    cpu: roundedCpu(result),
  }));
  const recorded = { machine, diskFlush, benchmarks: { ...kept, [name]: { commit, results: rounded } } };
  await writeFile(file, `${JSON.stringify(recorded, undefined, 2)}\n`);
  return recorded;
}

function roundedCpu({ cpu }: Comparison): Comparison['cpu'] {
  const times = ({ process, postgres }: NonNullable<typeof cpu>['ours']) => ({
    process: round(process),
    ...(postgres !== undefined && { postgres: round(postgres) }),
  });
  return cpu && { ours: times(cpu.ours), theirs: times(cpu.theirs) };
}

const round = (value: number): number => Number(value.toPrecision(4));
