import { CommanderError } from '@commander-js/extra-typings';
import { DomainError } from '../core/errors.ts';
import { StartError } from '../core/startError.ts';
import { UsageError } from './command.ts';

/** Errors that the user can fix are printed as a sentence. Other errors are printed with their stack. */
export function printError(error: unknown): void {
  // commander has printed its own.
  if (error instanceof CommanderError) return;
  const isForUser = error instanceof StartError || error instanceof UsageError || error instanceof DomainError;
  console.error(isForUser ? error.message : error);
}

export function exitCodeOf(error: unknown): number {
  // commander also ends with an error, of exit code 0, after `--help`.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isWrongCommandLine = error instanceof UsageError || (error instanceof DomainError && error.kind === 'invalid');
  return isWrongCommandLine ? 2 : 1;
}
