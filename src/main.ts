import { commands } from './cli/commands.ts';
import { exitCodeOf, printError } from './cli/failure.ts';
import { createProgram } from './cli/program.ts';

const [name = 'serve', ...rest] = process.argv.slice(2);
// commander's own `help` shows commands, and not their subcommands.
const args = name === 'help' && rest.length > 1 ? [...rest, '--help'] : [name, ...rest];
try {
  await createProgram(commands).parseAsync(args, { from: 'user' });
} catch (error) {
  printError(error);
  process.exitCode = exitCodeOf(error);
}
process.exit();
