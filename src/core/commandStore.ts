import { DomainError } from './errors.ts';
import { RevisionConflict, type EventStore } from './eventStore.ts';

/**
 * `accepted`: it appended events. `unchanged`: nothing had to change. `repeated`: an earlier try had appended its events.
 * `refused`: the decider refused it. `conflict`: the stream was not at the expected revision. `failed`: anything else.
 */
export type CommandResult = 'accepted' | 'unchanged' | 'repeated' | 'refused' | 'conflict' | 'failed';

/** What commands are handled on. */
export interface CommandStore extends Pick<EventStore, 'append' | 'readStream'> {
  /** Told how each command ended. Must not throw. */
  readonly onCommand?: ((type: string, result: CommandResult) => void) | undefined;
}

/** How a command ended that was refused or has failed. */
export function resultOf(error: unknown): CommandResult {
  if (error instanceof DomainError) return 'refused';
  return error instanceof RevisionConflict ? 'conflict' : 'failed';
}

/** The name of a command in metrics. */
export function typeOfCommand(command: unknown): string {
  const { type } = Object(command) as { readonly type?: unknown };
  return typeof type === 'string' ? type : 'other';
}
