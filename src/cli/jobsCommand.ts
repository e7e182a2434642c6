import { Command, Option } from '@commander-js/extra-typings';
import { example, jsonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';
import { wholeNumber } from './wholeNumber.ts';

const actions = () => import('./jobActions.ts');
const ID = '0198d5b0-7c1e-7b44-9d0f-3a51c7e2f604';

export const jobsCommand: CreateCommand = () =>
  new Command('jobs')
    .description('shows the jobs of the media workers, and runs failed ones again')
    .addHelpText('after', example('jobs list --state failed'))
    .addCommand(
      new Command('list')
        .description('shows jobs, the newest first; finished ones are kept for a day, failed ones for a week')
        .addOption(
          new Option('--state <state>', 'only jobs in this state').choices([
            'waiting',
            'running',
            'failed',
            'done',
            'cancelled',
          ] as const),
        )
        .option('--queue <name>', 'only jobs of this queue')
        .option('--limit <number>', 'how many at most', wholeNumber, 50)
        .addOption(jsonOption)
        .addHelpText('after', example('jobs list', 'jobs list --state failed --json'))
        .action(run(async (signal, options) => (await actions()).list(signal, options))),
    )
    .addCommand(
      new Command('retry')
        .description('runs a failed job again; a video whose processing failed is processed again')
        .argument('<id>', 'of the job')
        .addOption(jsonOption)
        .addHelpText('after', example(`jobs retry ${ID}`))
        .action(run(async (signal, id, { json }) => (await actions()).retry(signal, id, json))),
    );
