import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { reelstream } from '../../../tests/support/reelstream.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { placesOf } from './places.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reelstream-completion-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the shell offers at the end of the line `reelstream <typed>`. */
type Complete = (script: string, typed: string) => string[];

const inBash: Complete = (script, typed) => {
  const words = typed.split(' ').map((word) => `'${word}'`);
  return runShell(
    ['bash', '--norc'],
    `${script}\nCOMP_WORDS=(reelstream ${words.join(' ')}); COMP_CWORD=${words.length}; _reelstream; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
};

const inFish: Complete = (script, typed) =>
  runShell(['fish', '--no-config'], `${script}\ncomplete -C 'reelstream ${typed}'`).map((line) => line.split('\t')[0]!);

function runShell([shell, ...args]: readonly string[], script: string): string[] {
  const file = join(folder, 'script');
  writeFileSync(file, script);
  const { stdout, stderr } = spawnSync(shell!, [...args, file], { encoding: 'utf8', cwd: folder });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

const hasFish = spawnSync('fish', ['--version']).status === 0;
if (!hasFish) process.stderr.write('SKIPPED: completion in fish, because fish is not installed\n');
const shells = [
  { shell: 'bash', complete: inBash, run: describe },
  { shell: 'fish', complete: inFish, run: hasFish ? describe : describe.skip },
];

const program = new Command('reelstream').helpCommand(true);
program
  .command('replay')
  .command('analytics')
  .addOption(new Option('--rule <rule>'))
  .addOption(new Option('--format <format>').choices(['table', 'csv']))
  .option('--output <file>');
program
  .command('show')
  .addArgument(new Argument('<projection>'))
  .addArgument(new Argument('<other>').choices(['x', 'y']));

const places = placesOf(program, { rule: ['counted', 'daily-unique'], projection: ['videos', 'likes'] });
const scripts: Readonly<Record<string, string>> = { bash: bashScript(places), fish: fishScript(places) };

for (const { shell, complete, run } of shells) {
  run(`in ${shell}`, () => {
    test.each([
      ['re', ['replay']],
      ['', ['help', 'replay', 'show']],
      ['replay ', ['analytics', 'help']],
      ['replay analytics --ru', ['--rule']],
      ['replay analytics --rule c', ['counted']],
      ['replay analytics --rule counted --rule ', ['counted', 'daily-unique']],
      ['replay analytics --format ', ['csv', 'table']],
      ['show ', ['likes', 'videos']],
      ['show videos ', ['x', 'y']],
      ['show videos x ', []],
      ['help sh', ['show']],
    ])('after "%s": %j', (typed, expected) => {
      expect(complete(scripts[shell]!, typed).sort()).toEqual(expected);
    });

    test('a value that can be anything: files', () => {
      writeFileSync(join(folder, 'report.csv'), '');
      expect(complete(scripts[shell]!, 'replay analytics --output rep')).toEqual(['report.csv']);
    });

    test('the script that the command prints knows the projections', async () => {
      const { output } = await reelstream(`completion ${shell}`);
      expect(complete(output, 'projections rebuild a').sort()).toEqual(['accounts', 'analytics']);
    });
  });
}

test('bash completes after "="', () => {
  expect(inBash(scripts['bash']!, 'replay analytics --rule = d')).toEqual(['daily-unique']);
});
