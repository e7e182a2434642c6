import type { DomainEvent } from './event.ts';

/**
 * The rules of one kind of stream, as pure functions: no clock, no randomness, no I/O. Time and ids come with the
 * command. `decide` answers `[]` when nothing has to change, and throws a `DomainError` when the rules forbid the
 * command.
 */
export interface Decider<Command, Event extends DomainEvent, State> {
  readonly initialState: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
}

/** The state after some events. */
export function fold<Event extends DomainEvent, State>(
  decider: Pick<Decider<never, Event, State>, 'evolve' | 'initialState'>,
  events: Iterable<Event>,
): State {
  let state = decider.initialState;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}
