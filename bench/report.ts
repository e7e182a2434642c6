import { readFile, writeFile } from 'node:fs/promises';
import type { Comparison } from './benchmark.ts';
import { chart } from './chart.ts';
import { columns, missed } from './columns.ts';
import { readRecorded, type Recorded } from './results.ts';

const page = new URL('README.md', import.meta.url);
const picture = new URL('speed.svg', import.meta.url);
const [BEGIN, END] = ['<!-- results: made by npm run bench -- --report -->\n', '<!-- end of results -->\n'];

/** Writes what was recorded into bench/README.md and bench/speed.svg. */
export async function writeReport(): Promise<void> {
  const recorded = await readRecorded();
  if (recorded === undefined) throw new Error('nothing is recorded yet; run: npm run bench -- --record');
  await writeFile(page, withResults(await readFile(page, 'utf8'), recorded));
  await writeFile(picture, chart(allResults(recorded)));
}

/** bench/README.md with the recorded results in place of those that it shows. */
export function withResults(text: string, recorded: Recorded): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error('bench/README.md has no place for the results');
  return text.slice(0, begin + BEGIN.length) + resultsPage(recorded) + text.slice(end);
}

export function allResults({ benchmarks }: Recorded): Comparison[] {
  return Object.values(benchmarks).flatMap(({ results }) => results);
}

function resultsPage(recorded: Recorded): string {
  const commits = [...new Set(Object.values(recorded.benchmarks).map(({ commit }) => commit))];
  const single = commits.length === 1;
  const tables = Object.entries(recorded.benchmarks)
    .filter(([, { results }]) => results.length > 0)
    .map(([name, { commit, results }]) => `### ${name}${single ? '' : ` (at ${commit})`}\n\n${table(results)}`);
  const misses = allResults(recorded).filter(missed).length;
  return `
${machineLine(recorded)} ${single ? `Commit ${commits[0]}.` : 'The commit is beside the name of each benchmark.'}
${misses === 0 ? 'Every requirement is met.' : `Missed requirements: ${misses}.`}

${tables.join('\n')}
`;
}

export function machineLine({ machine, diskFlush }: Pick<Recorded, 'machine' | 'diskFlush'>): string {
  const { cpu, cores, memory, node, postgres, ffmpeg, fsync, synchronousCommit } = machine;
  return `${cpu}, ${cores} cores, ${memory} GiB of memory; Node ${node}, PostgreSQL ${postgres} (fsync ${fsync}, synchronous_commit ${synchronousCommit}), FFmpeg ${ffmpeg}; 8 kB are on the disk after ${diskFlush} ms.`;
}

function table(results: readonly Comparison[]): string {
  const shown = columns.filter(({ of }) => results.some((result) => of(result) !== ''));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [
    line(shown.map(({ head }) => head)),
    line(shown.map(({ right }) => (right ? '---:' : '---'))),
    ...results.map((result) => line(shown.map(({ of }) => of(result)))),
  ].join('');
}
