import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { describe, expect, test } from '@jest/globals';
import { programName } from './command.ts';
import { commands } from './commands.ts';
import { createProgram, pathOf } from './program.ts';

const program = createProgram(commands);

function all(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return [command, ...command.commands.flatMap(all)];
}

function helpOf(command: CommandUnknownOpts): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

function examplesIn(help: string): string[] {
  return help
    .slice(help.indexOf('For example:'))
    .split('\n')
    .filter((line) => line.startsWith(`  ${programName} `))
    .map((line) => line.slice(programName.length + 3));
}

/** The words that a shell gives to the program: without a redirection or what follows a pipe. */
function wordsOf(example: string): string[] {
  const [command] = example.split(/ [|>] /);
  return [...command!.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare!,
  );
}

/** Parses without running anything. The result is the path of the command that would run, or of a group. */
async function parse(words: readonly string[]): Promise<string[]> {
  let found: string[] = [];
  const parsed = createProgram(commands);
  for (const each of all(parsed)) {
    each.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    if (each.commands.length === 0) each.action(() => void (found = pathOf(each)));
  }
  await parsed.parseAsync(words, { from: 'user' });
  return found;
}

describe.each(all(program).map((command) => [pathOf(command).slice(1).join(' ') || 'reelstream', command] as const))(
  'the help of %s',
  (_, command) => {
    test('says what it does', () => {
      expect(command.description()).not.toBe('');
      for (const option of command.options) expect([option.long, option.description]).not.toEqual([option.long, '']);
    });

    test('has an example, which is valid and of this command', async () => {
      const examples = examplesIn(helpOf(command));
      expect(examples).not.toEqual([]);
      for (const each of examples)
        expect((await parse(wordsOf(each))).slice(0, pathOf(command).length)).toEqual(pathOf(command));
    });
  },
);

test('a wrong example is found', async () => {
  await expect(parse(['projections', 'rebuild'])).rejects.toMatchObject({ code: 'commander.missingArgument' });
  await expect(parse(['projections', 'list', '--jsno'])).rejects.toMatchObject({ code: 'commander.unknownOption' });
});
