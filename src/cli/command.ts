/** One word of the command line, after `reelstream`. */
export interface Command {
  readonly name: string;
  /** What may follow the name, as `--help` shows it. */
  readonly parameters?: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Resolves with the exit code. @throws StartError or UsageError for what the user can mend. */
  run(args: readonly string[]): Promise<number>;
}

/** The command line cannot be meant as it stands; the message says how it can. */
export class UsageError extends Error {
  constructor(message: string) {
    super(`${message} See npm run reelstream -- --help.`);
    this.name = 'UsageError';
  }
}

export function expectNoArguments(command: string, args: readonly string[]): void {
  if (args.length > 0) throw new UsageError(`"${command}" takes no "${args[0]}".`);
}
