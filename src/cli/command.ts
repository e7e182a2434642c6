import { Option, type CommandUnknownOpts } from '@commander-js/extra-typings';

/** Creates a command of `reelstream`. It imports its parts only when it runs, so that other commands start fast. */
export type CreateCommand = () => CommandUnknownOpts;

/** The command line as the user writes it, in a clone or where `reelstream` is installed. */
export const programName = process.env['npm_lifecycle_event'] === undefined ? 'reelstream' : 'npm run -s reelstream --';

/** Ends the help of a command: `.addHelpText('after', example('projections rebuild videos'))`. */
export function example(...lines: readonly string[]): string {
  return `\nFor example:\n${lines.map((line) => `  ${programName} ${line}`).join('\n')}`;
}

/** For commands that print something to read: `.addOption(jsonOption)`. Standard output then contains only JSON. */
export const jsonOption = new Option('--json', 'prints JSON, for scripts');

/** For decisions about what users do. */
export const reasonOption = () =>
  new Option('--reason <text>', 'why; the user whom it concerns can read it').makeOptionMandatory();

/** The command line is not valid. The message says what is expected. The exit code is 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(`${message} See ${programName} --help.`);
    this.name = 'UsageError';
  }
}
