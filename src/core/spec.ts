import { deepStrictEqual, fail } from 'node:assert/strict';
import { fold, type Decider } from './decider.ts';
import { DomainError } from './errors.ts';
import type { DomainEvent } from './event.ts';

export interface Outcome<Event> {
  /** Exactly these events, in this order. */
  then(events: readonly Event[]): void;
  /** No events: nothing has to change. */
  thenNothing(): void;
  /** The rules forbid the command: a `DomainError` with this code. */
  thenThrows(code: string): void;
}

export interface Given<Command, Event> {
  when(command: Command): Outcome<Event>;
}

/**
 * Specifies a decider: `given(decider, events).when(command).then(events)`. Works in any test framework: a
 * specification that is not met throws an `AssertionError`. A decider that changes its arguments fails.
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
          const answered = decided.length === 0 ? 'nothing' : decided.map(({ type }) => type).join(', ');
          fail(`expected the error '${code}', but the decider answered: ${answered}`);
        },
      };
    },
  };
}

type Folding<Event extends DomainEvent, State> = Pick<Decider<never, Event, State>, 'initialState' | 'evolve'>;

/** The decider with states that cannot be changed. */
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
