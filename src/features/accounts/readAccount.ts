import { fold, type Decider } from '../../core/decider.ts';
import type { DomainEvent, RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { userDecider, userStream, type RegisteredUser, type UserState } from './decider.ts';
import { normalised, type NameHash } from './names.ts';
import { reservationDecider, type ReservationState, type ReservedName } from './reservation.decider.ts';

type Reads = Pick<EventStore, 'readStream'>;

/** As the log has it, not a projection. */
export function readUser(store: Reads, userId: string): Promise<UserState> {
  return readState(store, userStream(userId), userDecider);
}

export function readReservation(store: Reads, name: ReservedName, stream: string): Promise<ReservationState> {
  return readState(store, stream, reservationDecider(name));
}

export function reservationStream(name: ReservedName, value: string, nameHash: NameHash): string {
  return `${name}-${nameHash(name, normalised(value))}`;
}

/** Nobody has it: who looks for an unknown e-mail reads as much as who looks for a known one, and takes as long. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

export async function findUserByEmail(
  store: Reads,
  nameHash: NameHash,
  email: string,
): Promise<RegisteredUser | undefined> {
  const { holder } = await readReservation(store, 'email', reservationStream('email', email, nameHash));
  const user = await readUser(store, holder?.userId ?? NOBODY);
  return user.status === 'registered' ? user : undefined;
}

async function readState<Event extends DomainEvent, State>(
  store: Reads,
  stream: string,
  decider: Pick<Decider<never, Event, State>, 'evolve' | 'initialState'>,
): Promise<State> {
  const events: Event[] = [];
  for await (const event of store.readStream(stream)) events.push(event as RecordedEvent<Event>);
  return fold(decider, events);
}
