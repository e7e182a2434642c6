import type { Appended } from './appended.ts';
import { AppendRefused, RevisionConflict, type EventStore, type ExpectedRevision } from './eventStore.ts';
import { resultOf, typeOfCommand, type CommandStore } from './commandStore.ts';
import { pause } from './abortable.ts';
import { backOff } from './backOff.ts';
import type { CommandContext } from './commandContext.ts';
import type { Decider } from './decider.ts';
import type { DomainEvent, NewEvent, RecordedEvent } from './event.ts';
import { eventIdFor } from './eventIds.ts';
import { readState, type StreamState } from './readState.ts';

/**
 * Attempts after which a command gives up. Each conflict means that another writer was faster. So this many commands at
 * once on one stream all succeed, however slow the store is.
 */
const MOST_ATTEMPTS = 30;
/** A random part of it, so that writers who met once do not meet again. */
const BACK_OFF = { firstMs: 2, longestMs: 200 };

/** The stream after the command. */
export interface CommandOutcome<Event, State> extends StreamState<State>, Appended {
  /** The events that this command appended; empty when nothing had to change. */
  readonly events: readonly Event[];
}

export interface HandleOptions {
  /**
   * The revision that the client named (If-Match, a refresh token). A conflict with it fails the command; it is not
   * tried again.
   */
  readonly expectedRevision?: number;
}

/**
 * Runs a command on one stream: read, fold, decide, append at the revision read. After a conflict it starts again.
 *
 * A command with an idempotency key is decided once: its repeat finds the events in the stream and answers them.
 * @throws RevisionConflict when `expectedRevision` is not the stream's, or after thirty conflicts in a row.
 */
export async function handleCommand<Command, Event extends DomainEvent, State>(
  store: CommandStore,
  decider: Decider<Command, Event, State>,
  stream: string,
  command: Command,
  context: CommandContext,
  options: HandleOptions = {},
): Promise<CommandOutcome<Event, State>> {
  try {
    const { outcome, repeated } = await decideAndAppend(store, decider, stream, command, context, options);
    const result = repeated ? 'repeated' : outcome.events.length > 0 ? 'accepted' : 'unchanged';
    store.onCommand?.(typeOfCommand(command), result);
    return outcome;
  } catch (error) {
    store.onCommand?.(typeOfCommand(command), resultOf(error));
    throw error;
  }
}

interface Handled<Event, State> {
  readonly outcome: CommandOutcome<Event, State>;
  /** The events were in the log before this call. */
  readonly repeated: boolean;
}

async function decideAndAppend<Command, Event extends DomainEvent, State>(
  store: CommandStore,
  decider: Decider<Command, Event, State>,
  stream: string,
  command: Command,
  context: CommandContext,
  options: HandleOptions,
): Promise<Handled<Event, State>> {
  for (let attempt = 1; ; attempt++) {
    const found = await load(store, decider, stream, context);
    const { state, position, types } = found;
    if (found.repeated.length > 0) return { outcome: { ...found, stream, events: found.repeated }, repeated: true };
    if (options.expectedRevision !== undefined && options.expectedRevision !== found.revision) {
      throw new RevisionConflict(stream, options.expectedRevision, found.revision);
    }
    const events = decider.decide(command, state);
    if (events.length === 0)
      return { outcome: { state, events, revision: found.revision, stream, position, types }, repeated: false };
    const expected: ExpectedRevision = found.revision ?? 'none';
    try {
      const appended = await store.append(stream, toNewEvents(events, stream, context), expected);
      const asDecided = appended.revision === (found.revision ?? -1) + events.length;
      if (asDecided) {
        const allTypes = [...new Set([...types, ...events.map(({ type }) => type)])];
        const after = events.reduce(decider.evolve, state);
        return { outcome: { state: after, events, stream, types: allTypes, ...appended }, repeated: false };
      }
      // Another process ran the same command at the same time, on another state. The events in the log count: read
      // them.
    } catch (error) {
      const overtaken = error instanceof RevisionConflict && options.expectedRevision === undefined;
      const repeatedWithOtherEvents = error instanceof AppendRefused && context.idempotencyKey !== undefined;
      if (!(overtaken || repeatedWithOtherEvents) || attempt === MOST_ATTEMPTS) throw error;
      await pause(Math.random() * backOff(attempt, BACK_OFF));
    }
  }
}

/** Adds ids and metadata to the events of a command. The codec sets the schema version. */
export function toNewEvents(events: readonly DomainEvent[], stream: string, context: CommandContext): NewEvent[] {
  const { correlationId, causationId, actor, traceparent } = context;
  return events.map(({ type, data }, index) => ({
    id: eventIdFor(context, stream, index),
    type,
    data,
    metadata: {
      correlationId,
      ...(causationId !== undefined && { causationId }),
      ...(actor !== undefined && { actor }),
      ...(traceparent !== undefined && { traceparent }),
      schemaVersion: 0,
    },
  }));
}

/** The stream's state, the types of its events, and those events that this command appended at an earlier try. */
async function load<Command, Event extends DomainEvent, State>(
  store: Pick<EventStore, 'readStream'>,
  decider: Decider<Command, Event, State>,
  stream: string,
  context: CommandContext,
): Promise<StreamState<State> & { types: readonly string[]; repeated: Event[] }> {
  const types = new Set<string>();
  const repeated: Event[] = [];
  const ownId = (index: number): string | undefined =>
    context.idempotencyKey === undefined ? undefined : eventIdFor(context, stream, index);
  let nextId = ownId(0);
  const onEvent = (event: RecordedEvent<Event>): void => {
    types.add(event.type);
    if (event.id === nextId) nextId = ownId(repeated.push(event));
  };
  const found = await readState(store, decider, stream, { onEvent });
  return { ...found, types: [...types], repeated };
}
