import { Command } from '@commander-js/extra-typings';
import { example, jsonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';

export const logCommand: CreateCommand = () =>
  new Command('log')
    .description('moves the event log between PostgreSQL and EventStoreDB, as docs/moving.md explains')
    .addHelpText('after', example('log copy --to esdb://host:2113'))
    .addCommand(
      new Command('copy')
        .description(
          'copies the event log to an empty one, also while the system runs, and checks the copy; run again, it copies the rest',
        )
        .option('--from <url>', 'of PostgreSQL or EventStoreDB; without it, the log of this system')
        .option('--to <url>', 'of PostgreSQL or EventStoreDB; without it, the log of this system')
        .addOption(jsonOption)
        .addHelpText(
          'after',
          example(
            'log copy --to esdb://admin:changeit@host:2113?tlsCAFile=/path/to/ca.crt',
            'log copy --from esdb://host:2113 --to postgres://user:password@host:5432/reelstream',
          ),
        )
        .action(run(async (signal, options) => (await import('./logActions.ts')).copy(signal, options))),
    );
