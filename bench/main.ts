import { provideServer } from '../tests/support/globalSetup.ts';
import globalTeardown from '../tests/support/globalTeardown.ts';
import { appends } from './appends.ts';
import { asOf } from './asOf.ts';
import type { Benchmark, Comparison, CpuTime } from './benchmark.ts';
import { crud } from './crud.ts';
import { feed } from './feed.ts';
import { latency } from './latency.ts';
import { likes } from './likes.ts';
import { rebuild } from './rebuild.ts';
import { relay } from './relay.ts';
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
  upload,
  uploadMemory,
  latency,
  likes,
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
 * `npm run bench -- [name…]`: runs benchmarks and prints our figures beside those of the peer. Uses the PostgreSQL of DATABASE_URL,
 * or starts one. The exit code is 1 when a required ratio is missed.
 */
async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0)
    throw new Error(
      `there is no benchmark ${unknown.join(', ')}; the benchmarks are ${benchmarks.map(({ name }) => name).join(', ')}`,
    );
  await provideServer({ durable: true });
  try {
    const results: Comparison[] = [];
    for (const benchmark of benchmarks) {
      if (names.length > 0 ? !names.includes(benchmark.name) : benchmark.byNameOnly === true) continue;
      console.error(`running ${benchmark.name} …`);
      results.push(...(await benchmark.run()));
    }
    print(results);
    if (results.some(missed)) process.exitCode = 1;
  } finally {
    await globalTeardown();
  }
}

/** CPU time in µs of an operation: of the process, and after a plus sign of PostgreSQL. */
function cpu(time: CpuTime | undefined): string {
  if (time === undefined) return '';
  return [time.process, ...(time.postgres === undefined ? [] : [time.postgres])].map(number).join(' + ');
}

function print(results: readonly Comparison[]): void {
  const rows = results.map((result) => [
    result.what,
    number(result.ours),
    number(result.theirs),
    result.unit,
    cpu(result.cpu?.ours),
    cpu(result.cpu?.theirs),
    result.peer,
    number(result.ours / result.theirs),
    [
      result.atLeast !== undefined && `≥ ${number(result.atLeast)}`,
      result.atMost !== undefined && `≤ ${number(result.atMost)}`,
    ]
      .filter(Boolean)
      .join(' '),
    missed(result) ? 'MISSED' : '',
  ]);
  const head = ['what', 'ours', 'peer', 'unit', 'our CPU µs', 'peer CPU µs', 'the peer', 'ratio', 'required', ''];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

function missed({ ours, theirs, atLeast, atMost }: Comparison): boolean {
  const ratio = ours / theirs;
  return (atLeast !== undefined && !(ratio >= atLeast)) || (atMost !== undefined && !(ratio <= atMost));
}

function number(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 }).replaceAll(',', ' ');
}

await main(process.argv.slice(2));
