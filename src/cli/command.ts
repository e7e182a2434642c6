/** A command of `reelstream`, chosen by the first argument. */
export interface Command {
  readonly name: string;
  /** What may follow the name, as `--help` shows it. */
  readonly parameters?: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Resolves with the exit code. @throws StartError or UsageError for errors that the user can fix. */
  run(args: readonly string[]): Promise<number>;
}

/** The command line is not valid. The message says what is expected. */
export class UsageError extends Error {
  constructor(message: string) {
    super(`${message} See npm run reelstream -- --help.`);
    this.name = 'UsageError';
  }
}

export function expectNoArguments(command: string, args: readonly string[]): void {
  if (args.length > 0) throw new UsageError(`"${command}" does not accept the argument "${args[0]}".`);
}
