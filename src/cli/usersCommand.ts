import { Command } from '@commander-js/extra-typings';
import { example, jsonOption, reasonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const actions = () => import('./moderationActions.ts');
const WHO = 'id or e-mail address';

export const usersCommand: CreateCommand = () =>
  new Command('users')
    .description('shows, suspends and forgets users, also while the system runs')
    .addHelpText('after', example('users show ada@example.org'))
    .addCommand(
      new Command('show')
        .description('shows whether a user is suspended, and numbers of videos and reports')
        .argument('<user>', WHO)
        .addOption(jsonOption)
        .addHelpText('after', example('users show ada@example.org'))
        .action(run(async (signal, who, { json }) => (await actions()).showUser(signal, who, json))),
    )
    .addCommand(
      new Command('suspend')
        .description('ends all sessions of a user at once, and refuses new ones; the videos stay as they are')
        .argument('<user>', WHO)
        .addOption(reasonOption())
        .addHelpText('after', example("users suspend ada@example.org --reason 'Uploads the same video every hour.'"))
        .action(run(async (signal, who, { reason }) => (await actions()).decideOnUser(signal, who, 'suspend', reason))),
    )
    .addCommand(
      new Command('reinstate')
        .description('lets a suspended user log in again')
        .argument('<user>', WHO)
        .addOption(reasonOption())
        .addHelpText('after', example("users reinstate ada@example.org --reason 'It was a mistake.'"))
        .action(
          run(async (signal, who, { reason }) => (await actions()).decideOnUser(signal, who, 'reinstate', reason)),
        ),
    )
    .addCommand(
      new Command('forget')
        .description('deletes the account of a user for good, as users can delete their own')
        .argument('<user>', WHO)
        .option('--yes', 'it cannot be undone')
        .addHelpText('after', example('users forget ada@example.org --yes'))
        .action(run(async (signal, who, { yes }) => (await actions()).forget(signal, who, yes))),
    );
