import { Argument, Command } from '@commander-js/extra-typings';
import { example, jsonOption, type CreateCommand } from './command.ts';
import { run } from './run.ts';

const actions = () => import('./keyActions.ts');

const OF_VARIABLES = `
A secret that a variable sets is replaced in these steps. No request fails, and nobody must log in again:
  1. Put the new one into JWT_SECRET_ACCEPTED, REFRESH_SECRET_ACCEPTED or DATA_KEY_ACCEPTED of every process, and restart one after the other.
  2. Put the new one into JWT_SECRET, REFRESH_SECRET or DATA_KEY and the earlier one into ..._ACCEPTED, and restart them again.
  3. For DATA_KEY: run "keys rotate data" with the same variables. It encrypts the keys of all users with the new one.
  4. Remove ..._ACCEPTED after EXPIRES_IN, REFRESH_EXPIRES_IN or, for DATA_KEY, an hour, when nothing is left that the earlier one signed.
Leave out 1 when an attacker may have the earlier one, and ..._ACCEPTED of JWT_SECRET and REFRESH_SECRET in 2: what it signed is refused.`;

export const keysCommand: CreateCommand = () =>
  new Command('keys')
    .description('shows and replaces the secrets that sign tokens and encrypt personal data')
    .addHelpText('after', example('keys rotate all'))
    .addCommand(
      new Command('list')
        .description('shows where each secret is kept, and which earlier ones are accepted; never a secret itself')
        .addOption(jsonOption)
        .addHelpText('after', example('keys list', 'keys list --json'))
        .action(run(async (signal, { json }) => (await actions()).list(signal, json))),
    )
    .addCommand(
      new Command('rotate')
        .description(
          'makes a new secret in the data folder, also while ReelStream runs; the earlier one is accepted until it is no longer needed',
        )
        .addArgument(
          new Argument(
            '<secret>',
            'jwt: signs access tokens; refresh: refresh tokens; data: encrypts personal data',
          ).choices(['jwt', 'refresh', 'data', 'all'] as const),
        )
        .option(
          '--at-once',
          'the earlier secret of jwt or refresh is no longer accepted: for one that an attacker may have. jwt: clients refresh their tokens; refresh: everybody logs in again',
        )
        .addOption(jsonOption)
        .addHelpText('after', `${OF_VARIABLES}\n${example('keys rotate all', 'keys rotate jwt --at-once')}`)
        .action(run(async (signal, secret, options) => (await actions()).rotate(signal, secret, options))),
    );
