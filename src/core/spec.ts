import { deepStrictEqual, fail } from 'node:assert/strict';
import { fold, type Decider } from './decider.ts';
import { DomainError } from './errors.ts';
import type { DomainEvent } from './event.ts';

export interface Outcome<Event> {
  /** Exactly these events, in this order. */
  then(events: readonly Event[]): void;
  /** The command asks for what is already so. */
  thenNothing(): void;
  /** The rules forbid it, with this code of `DomainError`. */
  thenThrows(code: string): void;
}

export interface Given<Command, Event> {
  when(command: Command): Outcome<Event>;
}

/**
 * The language in which deciders are specified: given what has happened, when this is asked for, then this happens.
 * For tests of any framework: what is not so throws an `AssertionError`.
 */
export function given<Command, Event extends DomainEvent, State>(decider: Decider<Command, Event, State>, events: readonly Event[]): Given<Command, Event> {
  return {
    when(command) {
      const decide = (): readonly Event[] => decider.decide(command, fold(decider, events));
      return {
        then: (expected) => deepStrictEqual(decide(), expected),
        thenNothing: () => deepStrictEqual(decide(), []),
        thenThrows(code) {
          let decided: readonly Event[];
          try {
            decided = decide();
          } catch (error) {
            if (!(error instanceof DomainError)) throw error;
            return deepStrictEqual(error.code, code);
          }
          fail(`expected '${code}' to be thrown, but it was decided that ${decided.length === 0 ? 'nothing happens' : decided.map(({ type }) => type).join(', ')}`);
        },
      };
    },
  };
}
