import { appendBeside, benchFolder, caughtUp, npmStart, verifyTables, type BenchFolder } from './started.ts';
import { percentile, type Benchmark, type Comparison } from './benchmark.ts';

const ROUNDS = 3;
/** Promised up to five million. */
const EVENTS = Number(process.env['STARTUP_EVENTS'] ?? 200_000);
const PROMISED_MS = { empty: 2_500, used: 1_200, long: 1_500 };

/**
 * The time from `npm start` to ready: on an empty data folder, on a used one, and with a long log (`STARTUP_EVENTS`), whose tables
 * are then compared with it. Linux only.
 */
export const startup: Benchmark = {
  name: 'startup',
  async run() {
    await using folder = await benchFolder();
    const empty = [await startAndStop(folder)];
    for (let round = 1; round < ROUNDS; round++) {
      await using another = await benchFolder();
      empty.push(await startAndStop(another));
    }
    const used = await several(() => startAndStop(folder));
    await fill(folder);
    const long = await several(() => startAndStop(folder));
    await verifyTables(folder, ['analytics']);
    return [
      promised('npm start to ready, empty folder', empty, PROMISED_MS.empty),
      promised('npm start to ready, used folder', used, PROMISED_MS.used),
      promised(
        `npm start to ready, ${EVENTS.toLocaleString('en').replaceAll(',', ' ')} events`,
        long,
        PROMISED_MS.long,
      ),
    ];
  },
};

function promised(what: string, times: readonly number[], theirs: number): Comparison {
  return { what, peer: 'what we promise', ours: percentile(times, 0.5), theirs, unit: 'ms', atMost: 1 };
}

async function several(measure: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await measure());
  return times;
}

async function startAndStop(folder: BenchFolder): Promise<number> {
  const started = await npmStart(folder);
  await started.stop();
  return started.readyMs;
}

async function fill(folder: BenchFolder): Promise<void> {
  const started = await npmStart(folder);
  try {
    await appendBeside(folder, EVENTS);
    await caughtUp(started);
  } finally {
    await started.stop();
  }
}
