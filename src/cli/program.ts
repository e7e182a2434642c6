import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { StartError } from '../core/startError.ts';
import { example, programName, type CreateCommand } from './command.ts';
import { exitCodes } from './exitCodes.ts';

const CLOSING = `
Without a command, it runs serve. Settings are read from the environment and from .env in the working folder; .env.example
lists all settings.

Exit codes:
${exitCodes.map(({ code, meaning }) => `  ${code.padEnd(8)}  ${meaning}`).join('\n')}
`;

/** All commands below one name. Errors in the command line are thrown as CommanderError; nothing ends the process. */
export function createProgram(commands: readonly CreateCommand[]): CommandUnknownOpts {
  const program = new Command(programName)
    .description('ReelStream: a backend for short videos in which the event log is the database.')
    .usage('<command>')
    .helpOption('-h, --help', 'prints this help')
    .helpCommand('help [command]', 'prints the help of a command')
    .exitOverride()
    .showHelpAfterError(`See ${programName} --help.`)
    .hook('preAction', loadEnvFile)
    .addHelpText('after', example('openapi > openapi.json'))
    .addHelpText('after', CLOSING);
  for (const create of commands) add(program, create());
  return program;
}

/** commander passes settings on to the subcommands that it creates, and not to those that are added. */
function add(parent: CommandUnknownOpts, command: CommandUnknownOpts): void {
  if (!parent.commands.includes(command)) parent.addCommand(command);
  command.copyInheritedSettings(parent);
  command.showHelpAfterError(`See ${[...pathOf(command), '--help'].join(' ')}.`);
  for (const each of command.commands) add(command, each);
}

export function pathOf(command: CommandUnknownOpts): string[] {
  return command.parent === null ? [command.name()] : [...pathOf(command.parent), command.name()];
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
