import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand } from '../../core/commandHandler.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { holds, userDecider, userStream, type UserCommand, type UserState } from './decider.ts';
import type { NameHash } from './names.ts';
import { readReservation, readUser, reservationStream } from './readAccount.ts';
import { reservationDecider, type Holder, type ReservationCommand, type ReservedName } from './reservation.decider.ts';

/** A registration, or a change of a name, takes milliseconds. One that has not finished after this time has failed half-way. */
const GIVEN_UP_AFTER_MS = 60_000;

export interface Reservations {
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly nameHash: NameHash;
}

export interface NameClaim {
  readonly what: ReservedName;
  readonly value: string;
  readonly userId: string;
}

/**
 * Reserves a name for a user. A reservation that is left of a registration or a change that ended half-way is taken over.
 * @param renew a reservation that the user has already is replaced, so that nobody takes it over meanwhile
 * @returns the number of the reservation
 * @throws DomainError `email_taken`, `username_taken`
 */
export async function claimName(
  reservations: Reservations,
  claim: NameClaim,
  context: CommandContext,
  { renew = false }: { readonly renew?: boolean } = {},
): Promise<number> {
  const { what, userId } = claim;
  const { holder } = await readReservation(reservations.store, what, streamOf(reservations, claim));
  const isOwn = holder?.userId === userId;
  const isTakenOver =
    holder !== undefined && (isOwn ? renew : await isLeft(reservations.store, { ...claim, holder }, context));
  const at = context.now.toISOString();
  const command: ReservationCommand = isTakenOver
    ? { type: 'TakeOver', from: holder, userId, at }
    : { type: 'Reserve', userId, at };
  return (await decide(reservations, claim, command, context))!.number;
}

/** Makes the name free if the user has it, by the reservation with this number if there is one. */
export async function releaseName(
  reservations: Reservations,
  claim: NameClaim & { readonly number?: number },
  context: CommandContext,
): Promise<void> {
  const { userId, number } = claim;
  const at = context.now.toISOString();
  await decide(reservations, claim, { type: 'Release', userId, at, ...(number !== undefined && { number }) }, context);
}

/** The number of the reservation by which the user has the name; undefined if the user does not have it. */
export async function reservationNumber(reservations: Reservations, claim: NameClaim): Promise<number | undefined> {
  const { holder } = await readReservation(reservations.store, claim.what, streamOf(reservations, claim));
  return holder?.userId === claim.userId ? holder.number : undefined;
}

/**
 * Abandons a registration, unless it has succeeded. If its request is still running, it conflicts with this event and
 * cannot register. True also if the user was forgotten since.
 */
export async function abandonRegistration(
  store: Reservations['store'],
  userId: string,
  context: CommandContext,
): Promise<boolean> {
  const command = { type: 'AbandonRegistration', userId, at: context.now.toISOString() } as const;
  const { status } = await decideUser(store, userId, command, context);
  return status === 'abandoned' || status === 'forgotten';
}

/**
 * Abandons the change of a user to this name, unless the user has it. If its request is still running, it conflicts with
 * this event and must reserve the name again.
 * @returns the user, who may have the name
 */
export async function abandonProfileChange(
  store: Reservations['store'],
  { what, value, userId }: NameClaim,
  context: CommandContext,
): Promise<UserState> {
  const command = { type: 'AbandonProfileChange', what, value, at: context.now.toISOString() } as const;
  return decideUser(store, userId, command, context);
}

/** Whether the holder of a name does not have it as a user, and will not get it by this reservation. */
async function isLeft(
  store: Reservations['store'],
  { what, value, holder: { userId, since } }: NameClaim & { readonly holder: Holder },
  context: CommandContext,
): Promise<boolean> {
  const user = await readUser(store, userId);
  if (user.status === 'abandoned' || user.status === 'forgotten') return true;
  if (user.status === 'registered' && holds(user, what, value)) return false;
  if (context.now.getTime() - Date.parse(since) <= GIVEN_UP_AFTER_MS) return false;
  if (user.status === 'none') return abandonRegistration(store, userId, context);
  const then = await abandonProfileChange(store, { what, value, userId }, context);
  return then.status === 'registered' && !holds(then, what, value);
}

async function decide(
  reservations: Reservations,
  claim: NameClaim,
  command: ReservationCommand,
  context: CommandContext,
): Promise<Holder | undefined> {
  const decider = reservationDecider(claim.what);
  const { state } = await handleCommand(reservations.store, decider, streamOf(reservations, claim), command, context);
  return state.holder;
}

async function decideUser(
  store: Reservations['store'],
  userId: string,
  command: UserCommand,
  context: CommandContext,
): Promise<UserState> {
  return (await handleCommand(store, userDecider, userStream(userId), command, context)).state;
}

function streamOf({ nameHash }: Reservations, { what, value }: NameClaim): string {
  return reservationStream(what, value, nameHash);
}
