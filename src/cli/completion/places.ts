import type { Argument, CommandUnknownOpts, Option } from '@commander-js/extra-typings';

/** A word that may be typed, with what it does. */
export interface Word {
  readonly word: string;
  readonly description: string;
}

export interface CompletedOption {
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** Empty: any value, such as the name of a file. */
  readonly values: readonly string[];
}

/** What may follow a command. */
export interface Place {
  /** `['projections', 'rebuild']`; empty for the program itself. */
  readonly path: readonly string[];
  readonly subcommands: readonly Word[];
  readonly options: readonly CompletedOption[];
  /** The values of each argument, in order. */
  readonly arguments: readonly (readonly string[])[];
}

/** The values of options and arguments, by the name that `--help` shows for them. */
export type NamedValues = Readonly<Record<string, readonly string[]>>;

/** Every place of the command line, the program itself first. */
export function placesOf(command: CommandUnknownOpts, named: NamedValues, path: readonly string[] = []): Place[] {
  const subcommands = command.createHelp().visibleCommands(command);
  const place = {
    path,
    subcommands: subcommands.map((each) => ({ word: each.name(), description: each.description() })),
    options: command
      .createHelp()
      .visibleOptions(command)
      .map((option) => ({
        flags: [option.short, option.long].filter((flag) => flag !== undefined),
        description: option.description,
        takesValue: option.required || option.optional,
        values: option.argChoices ?? named[valueName(option)] ?? [],
      })),
    arguments: command.registeredArguments.map((argument) => argument.argChoices ?? named[nameOf(argument)] ?? []),
  };
  // `help` names a command beside it.
  const below = { ...named, command: subcommands.map((each) => each.name()) };
  return [place, ...subcommands.flatMap((each) => placesOf(each, below, [...path, each.name()]))];
}

const nameOf = (argument: Argument): string => argument.name();

/** `rule` for `--rule <rule>`. */
const valueName = (option: Option): string => /[<[]([\w-]+)/.exec(option.flags)?.[1] ?? '';
