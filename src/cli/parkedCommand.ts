import { Command } from '@commander-js/extra-typings';
import { example, jsonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const actions = () => import('./parkedActions.ts');
const ID = '0198d5b0-7c1e-7b44-9d0f-3a51c7e2f604';

/** Below `projections`. */
export const parkedCommand: CreateCommand = () =>
  new Command('parked')
    .description('shows, retries and discards the events that a projection could not apply')
    .addHelpText('after', example('projections parked list'))
    .addCommand(
      new Command('list')
        .description('shows the parked events, in the order of the log')
        .argument('[projection]', 'all without it')
        .addOption(jsonOption)
        .addHelpText('after', example('projections parked list', 'projections parked list videos --json'))
        .action(run(async (signal, name, { json }) => (await actions()).list(signal, name, json))),
    )
    .addCommand(
      new Command('retry')
        .description('applies the parked events of a stream in order, until one fails; exit code 1 when one is left')
        .argument('<projection>')
        .argument('<id>', 'of the first parked event of the stream')
        .addOption(jsonOption)
        .addHelpText('after', example(`projections parked retry videos ${ID}`))
        .action(run(async (signal, name, id, { json }) => (await actions()).retry(signal, name, id, json))),
    )
    .addCommand(
      new Command('discard')
        .description('never applies a parked event, records why, and retries the later ones of its stream')
        .argument('<projection>')
        .argument('<id>', 'of the first parked event of the stream')
        .requiredOption('--reason <text>', 'why it is never to be applied; at most 500 characters')
        .addOption(jsonOption)
        .addHelpText('after', example(`projections parked discard videos ${ID} --reason 'Damaged by a faulty client'`))
        .action(
          run(async (signal, name, id, { reason, json }) => (await actions()).discard(signal, name, id, reason, json)),
        ),
    );
