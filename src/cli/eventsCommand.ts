import { Command } from '@commander-js/extra-typings';
import { example, jsonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const actions = () => import('./eventActions.ts');
const integrity = () => import('./integrityActions.ts');

export const eventsCommand: CreateCommand = () =>
  new Command('events')
    .description('shows the event log, without personal data, also while the system runs')
    .addHelpText('after', example('events tail'))
    .addCommand(
      filtered('tail')
        .description('shows events as they are recorded, until Ctrl-C')
        .option('--from <position>', 'begins after this position, or at the "beginning", and not with new events')
        .addOption(jsonOption)
        .addHelpText('after', example('events tail', 'events tail --category video --from 1024 --json'))
        .action(run(async (signal, options) => (await actions()).tail(signal, options))),
    )
    .addCommand(
      new Command('read')
        .description('shows the events of one stream')
        .argument('<stream>', 'its full name')
        .addOption(jsonOption)
        .addHelpText('after', example('events read video-01980a41-7d93-7a08-8f5b-2c9e4a6d1b30'))
        .action(run(async (signal, stream, { json }) => (await actions()).read(signal, stream, json))),
    )
    .addCommand(
      filtered('export')
        .description('writes events up to the present end of the log, one JSON object a line')
        .option('--since <time>', 'only events recorded at this time or later, such as 2025-07-14T09:30:00Z')
        .option('--until <time>', 'only events recorded at this time or earlier')
        .option('--after <position>', 'only events after this position: goes on where an export ended')
        .option('--to <file>', 'writes to this file, which appears when it is complete; without it, to standard output')
        .addHelpText(
          'after',
          example('events export --to log.ndjson', 'events export --type VideoLiked,VideoUnliked | jq .data.videoId'),
        )
        .action(run(async (signal, options) => (await actions()).exportEvents(signal, options))),
    )
    .addCommand(
      new Command('check')
        .description(
          'checks that no event was changed, removed or added since it was recorded, and names the first that was',
        )
        .option('--from <position>', 'begins at this position, and not at the beginning')
        .option('--stream <name>', 'checks only this stream')
        .option('--seal <file>', 'also checks that the log begins with what "events seal" wrote there')
        .option('--public-key <key>', 'of those who made the seal; without it, of the key here')
        .addOption(jsonOption)
        .addHelpText('after', example('events check', 'events check --seal seal.json --public-key <key>'))
        .action(run(async (signal, options) => (await integrity()).check(signal, options))),
    )
    .addCommand(
      new Command('seal')
        .description(
          'checks the log, and signs what it holds: whoever keeps the seal can see later that nothing was rewritten',
        )
        .option('--out <file>', 'writes the seal to this file; without it, to standard output')
        .addHelpText('after', example('events seal --out seal.json'))
        .action(run(async (signal, options) => (await integrity()).seal(signal, options))),
    );

function filtered(name: string) {
  return new Command(name)
    .option('--type <types>', 'only events of these types, separated by commas')
    .option('--category <name>', 'only events of streams of this category, such as video')
    .option('--stream <name>', 'only events of this stream')
    .option('--correlation-id <id>', 'only events that the request with this X-Request-Id caused');
}
