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

/** Reads `.env` in the working folder, if there is one. Variables that are already set are kept. */
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
  // Errors that the user can fix are printed as a sentence. Other errors are printed with their stack.
  console.error(error instanceof StartError || error instanceof UsageError ? error.message : error);
  process.exit(1);
}
