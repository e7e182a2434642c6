import { parseArgs } from 'node:util';
import { provideServer } from '../tests/support/globalSetup.ts';
import globalTeardown from '../tests/support/globalTeardown.ts';
import { appends } from './appends.ts';
import { asOf } from './asOf.ts';
import type { Benchmark, Comparison } from './benchmark.ts';
import { columns, missed } from './columns.ts';
import { crud } from './crud.ts';
import { feed } from './feed.ts';
import { latency } from './latency.ts';
import { currentCommit, describeMachine, diskFlush } from './machine.ts';
import { memory } from './memory.ts';
import { page } from './page.ts';
import { rebuild } from './rebuild.ts';
import { relay } from './relay.ts';
import { machineLine, writeReport } from './report.ts';
import { record } from './results.ts';
import { scale } from './scale/scale.ts';
import { scaleCosts } from './scale/scaleCosts.ts';
import { scaleKafka } from './scale/scaleKafka.ts';
import { startup } from './startup.ts';
import { upload } from './upload.ts';
import { uploadMemory } from './uploadMemory.ts';
import { video } from './video.ts';

const benchmarks: readonly Benchmark[] = [
  appends,
  startup,
  memory,
  page,
  upload,
  uploadMemory,
  latency,
  crud,
  feed,
  video,
  relay,
  rebuild,
  asOf,
  scale,
  scaleCosts,
  scaleKafka,
];

/**
 * `npm run bench -- [--record] [name…]`: runs benchmarks and prints our figures beside those of the peer. Uses the PostgreSQL of
 * DATABASE_URL, or starts one. The exit code is 1 when a required ratio is missed. `--record` keeps the results in results.json and
 * makes the report; `--report` only makes the report, from what is recorded.
 */
async function main(): Promise<void> {
  const options = { record: { type: 'boolean' }, report: { type: 'boolean' } } as const;
  const { values, positionals: names } = parseArgs({ options, allowPositionals: true });
  if (values.report === true) return writeReport();
  const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0)
    throw new Error(
      `there is no benchmark ${unknown.join(', ')}; the benchmarks are ${benchmarks.map(({ name }) => name).join(', ')}`,
    );
  await provideServer({ durable: true });
  try {
    const machine = await describeMachine(process.env['REELSTREAM_TEST_POSTGRES']!);
    const [flush, commit] = [await diskFlush(), await currentCommit()];
    console.log(machineLine({ machine, diskFlush: flush }), `Commit ${commit}.`);
    const all: Comparison[] = [];
    for (const benchmark of benchmarks) {
      if (names.length > 0 ? !names.includes(benchmark.name) : benchmark.byNameOnly === true) continue;
      console.error(`running ${benchmark.name} …`);
      const results = await benchmark.run();
      if (values.record === true) {
        await record({ machine, diskFlush: flush }, benchmark.name, commit, results);
        await writeReport();
      }
      all.push(...results);
    }
    print(all);
    if (all.some(missed)) process.exitCode = 1;
  } finally {
    await globalTeardown();
  }
}

function print(results: readonly Comparison[]): void {
  const table = [columns.map(({ head }) => head), ...results.map((result) => columns.map(({ of }) => of(result)))];
  const widths = columns.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    columns[column]!.right ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  for (const row of table) console.log(row.map(pad).join('  ').trimEnd());
}

await main();
