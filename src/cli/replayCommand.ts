import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { example, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const actions = () => import('./replayActions.ts');

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export const replayCommand: CreateCommand = () =>
  new Command('replay')
    .description('counts from the log again, under other rules; changes nothing')
    .addHelpText(
      'after',
      example('replay analytics --from 2025-01-01 --to 2025-01-31 --rule counted --rule daily-unique'),
    )
    .addCommand(
      new Command('analytics')
        .description('compares the views of each day (UTC) under several view rules')
        .requiredOption('--from <day>', 'the first day, like 2025-01-01', day)
        .requiredOption('--to <day>', 'the last day, like 2025-01-31', day)
        .requiredOption('--rule <rule>', 'a view rule, or several joined by +; may be repeated', collect)
        .option('--owner <id>', 'only the videos of this user', id)
        .option('--video <id>', 'only this video', id)
        .addOption(
          new Option('--format <format>', 'what is printed')
            .choices(['table', 'csv', 'json'] as const)
            .default('table' as const),
        )
        .addOption(new Option('--json', 'is --format json').implies({ format: 'json' }))
        .addHelpText(
          'after',
          example(
            'replay analytics --from 2025-01-01 --to 2025-01-31 --rule counted --rule daily-unique',
            'replay analytics --from 2025-01-01 --to 2025-01-31 --rule daily-unique+not-the-owner --format csv > views.csv',
          ),
        )
        .action(run(async (signal, options) => (await actions()).replayAnalytics(signal, options))),
    );

function day(value: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) throw new InvalidArgumentError('It must be a day like 2025-01-31.');
  return value;
}

function id(value: string): string {
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value))
    throw new InvalidArgumentError('It must be an id like 018f4e4a-7c1d-7b6e-9d7a-2f5c8f1e0b3a.');
  return value.toLowerCase();
}
