import { Command } from '@commander-js/extra-typings';
import { example, jsonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const actions = () => import('./adminActions.ts');

export const adminsCommand: CreateCommand = () =>
  new Command('admins')
    .description('grants and revokes the role admin, also while the system runs')
    .addHelpText('after', example('admins grant ada@example.org'))
    .addCommand(
      new Command('grant')
        .description('makes the account with this e-mail address an administrator')
        .argument('<e-mail>')
        .addHelpText('after', example('admins grant ada@example.org'))
        .action(run(async (signal, email) => (await actions()).grant(signal, email))),
    )
    .addCommand(
      new Command('revoke')
        .description('takes the role back; access tokens that were issued before keep it until they expire')
        .argument('<e-mail>')
        .addHelpText('after', example('admins revoke ada@example.org'))
        .action(run(async (signal, email) => (await actions()).revoke(signal, email))),
    )
    .addCommand(
      new Command('list')
        .description('shows who is an administrator, and why')
        .addOption(jsonOption)
        .addHelpText('after', example('admins list', 'admins list --json'))
        .action(run(async (signal, { json }) => (await actions()).list(signal, json))),
    );
