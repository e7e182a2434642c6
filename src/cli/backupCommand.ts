import { Command } from '@commander-js/extra-typings';
import { example, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const actions = () => import('./backupActions.ts');

export const backupCommand: CreateCommand = () =>
  new Command('backup')
    .description('writes event log, videos and keys of DATA_DIR to two files, also while the system runs')
    .argument('<file>', 'a new file; the keys go to a second one, which has .keys behind this name')
    .addHelpText('after', example('backup /backups/2026-07-14.tar'))
    .action(run(async (signal, file) => (await actions()).backup(signal, file)));

export const restoreCommand: CreateCommand = () =>
  new Command('restore')
    .description('makes a new DATA_DIR of a backup; the next start builds the rest')
    .argument('<file>', 'that backup has written')
    .option('--keys <file>', 'with the keys; best the newest, so that forgotten users stay forgotten', undefined)
    .addHelpText(
      'after',
      example('restore /backups/2026-07-14.tar', 'restore old.tar --keys /backups/2026-07-14.tar.keys'),
    )
    .action(run(async (signal, file, options) => (await actions()).restore(signal, file, options)));
