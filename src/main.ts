import { UsageError } from './cli/command.ts';
import { commands } from './cli/commands.ts';
import { helpText } from './cli/help.ts';
import { StartError } from './core/startError.ts';

async function main([name = 'serve', ...args]: readonly string[]): Promise<number> {
  if (['help', '--help', '-h'].includes(name) || args.includes('--help') || args.includes('-h')) {
    console.log(helpText(commands));
    return 0;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new UsageError(`There is no command "${name}".`);
  loadEnvFile();
  return command.run(args);
}

/** `.env` in the working folder, if there is one; variables that are set already win. */
function loadEnvFile(): void {
  try {
    process.loadEnvFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new StartError(`.env cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  // What the user can mend is said in a sentence; for everything else the stack is what helps.
  console.error(error instanceof StartError || error instanceof UsageError ? error.message : error);
  process.exit(1);
}
