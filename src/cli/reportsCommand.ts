import { Command, Option } from '@commander-js/extra-typings';
import { example, jsonOption, reasonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';
import { wholeNumber } from './wholeNumber.ts';

const actions = () => import('./moderationActions.ts');
const ID = '0198d5b0-7c1e-7b44-9d0f-3a51c7e2f604';

export const reportsCommand: CreateCommand = () =>
  new Command('reports')
    .description('shows which videos users have reported, and dismisses reports')
    .addHelpText('after', example('reports list'))
    .addCommand(
      new Command('list')
        .description('shows the reported videos, those with the newest report first')
        .addOption(
          new Option('--state <state>', 'open: nobody has decided since the last report')
            .choices(['open', 'decided'] as const)
            .default('open' as const),
        )
        .option('--limit <number>', 'how many at most', wholeNumber, 50)
        .addOption(jsonOption)
        .addHelpText('after', example('reports list', 'reports list --state decided --json'))
        .action(run(async (signal, options) => (await actions()).listReports(signal, options))),
    )
    .addCommand(
      new Command('show')
        .description('shows the reports of a video, and what was decided about it')
        .argument('<id>', 'of the video')
        .addOption(jsonOption)
        .addHelpText('after', example(`reports show ${ID}`))
        .action(run(async (signal, id, { json }) => (await actions()).showReports(signal, id, json))),
    )
    .addCommand(
      new Command('dismiss')
        .description('decides that a video stays as it is, whatever was reported until now')
        .argument('<id>', 'of the video')
        .addOption(reasonOption())
        .addHelpText('after', example(`reports dismiss ${ID} --reason 'Nothing is wrong.'`))
        .action(run(async (signal, id, { reason }) => (await actions()).dismiss(signal, id, reason))),
    );
