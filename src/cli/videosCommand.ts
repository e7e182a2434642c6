import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { example, jsonOption, reasonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const ID = '0198d5b0-7c1e-7b44-9d0f-3a51c7e2f604';

export const videosCommand: CreateCommand = () =>
  new Command('videos')
    .description('makes what videos of earlier versions lack, and hides, restores and removes videos')
    .addHelpText('after', example('videos make-extras --all'))
    .addCommand(
      new Command('make-extras')
        .description('lets the media workers make the HLS ladder, storyboard and preview of videos that have none')
        .argument('[id...]', 'of the videos')
        .option('--all', 'of every video that can be played')
        .option('--no-wait', 'ends when the jobs are added')
        .addOption(jsonOption)
        .addHelpText('after', example('videos make-extras --all', `videos make-extras ${ID} --no-wait`))
        .action(
          run(async (signal, ids, options) => (await import('./videoActions.ts')).makeExtras(signal, ids, options)),
        ),
    )
    .addCommand(
      decision('hide', 'hides a video from everyone but its owner, who can read the reason', 'Shows a phone number.'),
    )
    .addCommand(decision('restore', 'lets a hidden video be seen again', 'It was a mistake.'))
    .addCommand(decision('remove', 'deletes a video and its files for good; its owner can read the reason', 'Copied.'));

function decision(name: 'hide' | 'restore' | 'remove', description: string, reason: string): CommandUnknownOpts {
  return new Command(name)
    .description(description)
    .argument('<id>', 'of the video')
    .addOption(reasonOption())
    .addHelpText('after', example(`videos ${name} ${ID} --reason '${reason}'`))
    .action(
      run(async (signal, id, { reason }) =>
        (await import('./moderationActions.ts')).decideOnVideo(signal, id, name, reason),
      ),
    );
}
