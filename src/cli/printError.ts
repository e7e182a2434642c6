import { DomainError } from '../core/errors.ts';
import { StartError } from '../core/startError.ts';
import { UsageError } from './command.ts';

/** Errors that the user can fix are printed as a sentence. Other errors are printed with their stack. */
export function printError(error: unknown): void {
  const isForUser = error instanceof StartError || error instanceof UsageError || error instanceof DomainError;
  console.error(isForUser ? error.message : error);
}
