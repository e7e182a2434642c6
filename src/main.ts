import { commands } from './cli/commands.ts';
import { exitCodeOf, printError } from './cli/failure.ts';
import { createProgram } from './cli/program.ts';

const [name = 'serve', ...rest] = process.argv.slice(2);
try {
  await createProgram(commands).parseAsync([name, ...rest], { from: 'user' });
} catch (error) {
  printError(error);
  process.exitCode = exitCodeOf(error);
}
process.exit();
