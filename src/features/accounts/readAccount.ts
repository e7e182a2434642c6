import { DomainError } from '../../core/errors.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { readState, type StreamState } from '../../core/readState.ts';
import { holds, userDecider, userStream, type RegisteredUser, type UserState } from './decider.ts';
import { normalised, type NameHash } from './names.ts';
import { reservationDecider, type ReservationState, type ReservedName } from './reservation.decider.ts';

type Reads = Pick<EventStore, 'readStream'>;

/** From the log, not from a projection. */
export async function readUser(store: Reads, userId: string): Promise<UserState> {
  return (await readState(store, userDecider, userStream(userId))).state;
}

/** @throws DomainError `user_unknown`: the user of a valid token does not exist. */
export async function readRegistered(store: Reads, userId: string): Promise<StreamState<RegisteredUser>> {
  const { state, ...place } = await readState(store, userDecider, userStream(userId));
  if (state.status !== 'registered') throw userUnknown();
  return { state, ...place };
}

export function userUnknown(): DomainError {
  return new DomainError('unauthenticated', 'user_unknown', 'This account no longer exists.');
}

export async function readReservation(store: Reads, name: ReservedName, stream: string): Promise<ReservationState> {
  return (await readState(store, reservationDecider(name), stream)).state;
}

export function reservationStream(name: ReservedName, value: string, nameHash: NameHash): string {
  return `${name}-${nameHash(name, normalised(value))}`;
}

/** Case and invisible characters in the name make no difference. */
export async function findUserByUsername(
  store: Reads,
  nameHash: NameHash,
  username: string,
): Promise<RegisteredUser | undefined> {
  const { holder } = await readReservation(store, 'username', reservationStream('username', username, nameHash));
  if (holder === undefined) return undefined;
  return holderOf('username', username, await readUser(store, holder.userId));
}

/** No user has this id. It is read for an unknown e-mail, so that the search takes as long as for a known one. */
const UNUSED_USER_ID = '00000000-0000-0000-0000-000000000000';

export async function findUserByEmail(
  store: Reads,
  nameHash: NameHash,
  email: string,
): Promise<RegisteredUser | undefined> {
  const { holder } = await readReservation(store, 'email', reservationStream('email', email, nameHash));
  return holderOf('email', email, await readUser(store, holder?.userId ?? UNUSED_USER_ID));
}

/** A name is also reserved shortly before and after it is the user's, and longer if a change ended half-way. */
function holderOf(what: ReservedName, value: string, user: UserState): RegisteredUser | undefined {
  return user.status === 'registered' && holds(user, what, value) ? user : undefined;
}
