import { Command } from '@commander-js/extra-typings';
import { example, jsonOption, type CreateCommand } from './command.ts';
import { parkedCommand } from './parkedCommand.ts';
import { run } from './run.ts';

const actions = () => import('./projectionActions.ts');
const operations = () => import('./operationActions.ts');

export const projectionsCommand: CreateCommand = () =>
  new Command('projections')
    .description('shows, rebuilds and checks the read models, also while the system runs')
    .addHelpText('after', example('projections list'))
    .addCommand(
      new Command('list')
        .description('shows where each projection stands')
        .addOption(jsonOption)
        .addHelpText('after', example('projections list', 'projections list --json'))
        .action(run(async (signal, { json }) => (await actions()).list(signal, json))),
    )
    .addCommand(
      new Command('rebuild')
        .description('makes the tables of a projection anew from the log, and then replaces those in place')
        .argument('<projection>')
        .addOption(jsonOption)
        .addHelpText('after', example('projections rebuild videos'))
        .action(run(async (signal, name, { json }) => (await operations()).rebuild(signal, name, json))),
    )
    .addCommand(
      new Command('cancel')
        .description('ends the rebuild of a projection that is under way, and drops what it has built')
        .argument('<projection>')
        .addOption(jsonOption)
        .addHelpText('after', example('projections cancel videos'))
        .action(run(async (signal, name, { json }) => (await operations()).cancel(signal, name, json))),
    )
    .addCommand(
      new Command('rollback')
        .description('makes the tables before the last rebuild live again, with all that has happened since')
        .argument('<projection>')
        .addOption(jsonOption)
        .addHelpText('after', example('projections rollback videos'))
        .action(run(async (signal, name, { json }) => (await operations()).rollBack(signal, name, json))),
    )
    .addCommand(
      new Command('verify')
        .description('compares the tables with a replay of the log; exit code 1 when they differ')
        .argument('[projection]', 'all without it')
        .addOption(jsonOption)
        .addHelpText('after', example('projections verify', 'projections verify videos --json'))
        .action(run(async (signal, name, { json }) => (await actions()).verify(signal, name, json))),
    )
    .addCommand(parkedCommand());
