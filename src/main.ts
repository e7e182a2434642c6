import { CommanderError } from '@commander-js/extra-typings';
import { UsageError } from './cli/command.ts';
import { commands } from './cli/commands.ts';
import { printError } from './cli/printError.ts';
import { createProgram, exitCodeOf } from './cli/program.ts';

const [name = 'serve', ...rest] = process.argv.slice(2);
try {
  await createProgram(commands).parseAsync([name, ...rest], { from: 'user' });
} catch (error) {
  process.exitCode = error instanceof CommanderError ? exitCodeOf(error) : error instanceof UsageError ? 2 : 1;
  // commander has printed its own errors.
  if (!(error instanceof CommanderError)) printError(error);
}
process.exit();
