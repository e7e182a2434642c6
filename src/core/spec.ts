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
 * For tests of any framework: what is not so throws an `AssertionError`. A decider that changes what it was given fails.
 */
export function given<Command, Event extends DomainEvent, State>(
  decider: Decider<Command, Event, State>,
  events: readonly Event[],
): Given<Command, Event> {
  return {
    when(command) {
      const decide = (): readonly Event[] => decider.decide(frozen(command), fold(strict(decider), events.map(frozen)));
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
          const happens = decided.length === 0 ? 'nothing' : decided.map(({ type }) => type).join(', ');
          fail(`expected '${code}' to be thrown, but what happens is: ${happens}`);
        },
      };
    },
  };
}

type Folding<Event extends DomainEvent, State> = Pick<Decider<never, Event, State>, 'initialState' | 'evolve'>;

/** The decider, each of whose states can only be looked at. */
function strict<Event extends DomainEvent, State>({
  initialState,
  evolve,
}: Folding<Event, State>): Folding<Event, State> {
  return { initialState: frozen(initialState), evolve: (state, event) => frozen(evolve(state, event)) };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
