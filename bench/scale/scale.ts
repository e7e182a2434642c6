import { readFile, writeFile } from 'node:fs/promises';
import type { Benchmark } from '../benchmark.ts';
import { measuredRates } from './costs.ts';
import { kafkaLag, scaleTables, withTables } from './tables.ts';

export const scaleDocument = new URL('../../docs/scale.md', import.meta.url);

/**
 * Calculates the tables of docs/scale.md and writes them there, and compares the simulation with what `scaleKafka` measured. Runs by
 * name only.
 */
export const scale: Benchmark = {
  name: 'scale',
  byNameOnly: true,
  async run() {
    const document = await readFile(scaleDocument, 'utf8');
    await writeFile(scaleDocument, withTables(document, scaleTables()));
    const lag = kafkaLag(2, { seconds: 60, rate: () => 200, partitions: 6 });
    const peer = 'measured by scaleKafka';
    return [
      {
        what: 'lag at 200/s, median, simulated',
        peer,
        ours: lag.median * 1_000,
        theirs: measuredRates.kafkaMedian,
        unit: 'ms',
      },
      { what: 'lag at 200/s, p99, simulated', peer, ours: lag.p99 * 1_000, theirs: measuredRates.kafkaP99, unit: 'ms' },
    ];
  },
};
