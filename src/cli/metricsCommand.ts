import { Command } from '@commander-js/extra-typings';
import { example, type CreateCommand } from './command.ts';
import { print } from './output.ts';
import { run } from './run.ts';

export const metricsCommand: CreateCommand = () =>
  new Command('metrics')
    .description('prints what each metric of /metrics means, as Markdown, without starting the server')
    .addHelpText('after', example('metrics > docs/metrics.md'))
    .action(
      run(async () => {
        const { metricsDocument } = await import('../telemetry/metricsDocument.ts');
        await print(metricsDocument());
        return 0;
      }),
    );
