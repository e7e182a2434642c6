import type { Decider } from './decider.ts';
import type { DomainEvent, RecordedEvent } from './event.ts';
import type { EventStore } from './eventStore.ts';

/** A stream folded into a state. */
export interface StreamState<State> {
  readonly state: State;
  /** Of the stream's last event; undefined while the stream does not exist. */
  readonly revision: number | undefined;
  /** Of the stream's last event; `0n` while the stream does not exist. */
  readonly position: bigint;
}

/** What a fold needs of a decider. */
export type Evolution<Event extends DomainEvent, State> = Pick<Decider<never, Event, State>, 'initialState' | 'evolve'>;

export interface ReadStateOptions<Event extends DomainEvent, State> {
  /** What is already known of the stream: only the events after it are read. */
  readonly since?: StreamState<State> | undefined;
  /** Called with each event, in order. */
  readonly onEvent?: (event: RecordedEvent<Event>) => void;
}

/** Reads a stream and folds it by its decider. */
export async function readState<Event extends DomainEvent, State>(
  store: Pick<EventStore, 'readStream'>,
  { initialState, evolve }: Evolution<Event, State>,
  stream: string,
  { since = { state: initialState, revision: undefined, position: 0n }, onEvent }: ReadStateOptions<Event, State> = {},
): Promise<StreamState<State>> {
  let { state, revision, position } = since;
  for await (const recorded of store.readStream(stream, { from: (revision ?? -1) + 1 })) {
    // The store knows events of all kinds. A stream holds only those of the decider that wrote it, and the codec has
    // brought them to the current version of their type.
    const event = recorded as RecordedEvent<Event>;
    state = evolve(state, event);
    ({ revision, position } = event);
    onEvent?.(event);
  }
  return { state, revision, position };
}
