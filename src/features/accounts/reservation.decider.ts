import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { ReservationEvent } from './events.ts';

export type ReservationCommand =
  | { readonly type: 'Reserve'; readonly userId: string; readonly at: string }
  /** Reserves the name anew while this holder has it. It may be the user's own, which is renewed. */
  | { readonly type: 'TakeOver'; readonly from: Holder; readonly userId: string; readonly at: string }
  /** Has an effect only if the user is the holder, by the reservation with this number if there is one. */
  | { readonly type: 'Release'; readonly userId: string; readonly number?: number; readonly at: string };

export interface Holder {
  readonly userId: string;
  readonly since: string;
  /** Of the reservation among all of the name, from 1. */
  readonly number: number;
}

export interface ReservationState {
  readonly holder: Holder | undefined;
  /** How often the name was reserved. */
  readonly reservations: number;
}

export type ReservedName = 'email' | 'username';

const words = {
  email: { reserved: 'EmailReserved', released: 'EmailReleased', taken: 'This e-mail address is already registered.' },
  username: { reserved: 'UsernameReserved', released: 'UsernameReleased', taken: 'This username is taken.' },
} as const;

/** Decides who holds a name. There is one holder at a time, because a stream has one event at each revision. */
export function reservationDecider(
  name: ReservedName,
): Decider<ReservationCommand, ReservationEvent, ReservationState> {
  const { reserved, released, taken } = words[name];
  return {
    initialState: { holder: undefined, reservations: 0 },

    decide(command, { holder }) {
      const { type, userId, at } = command;
      switch (type) {
        case 'Reserve':
        case 'TakeOver': {
          if (holder === undefined) return [{ type: reserved, data: { userId, at } }];
          if (type === 'TakeOver' && holder.number === command.from.number) {
            return [
              { type: released, data: { userId: holder.userId, at } },
              { type: reserved, data: { userId, at } },
            ];
          }
          if (holder.userId === userId) return [];
          throw new DomainError('conflict', `${name}_taken`, taken, { fields: [{ path: name, message: taken }] });
        }
        case 'Release': {
          const isHeld = holder?.userId === userId && (command.number ?? holder.number) === holder.number;
          return isHeld ? [{ type: released, data: { userId, at } }] : [];
        }
      }
    },

    evolve({ reservations }, { type, data }) {
      switch (type) {
        case 'EmailReserved':
        case 'UsernameReserved': {
          const number = reservations + 1;
          return { holder: { userId: data.userId, since: data.at, number }, reservations: number };
        }
        case 'EmailReleased':
        case 'UsernameReleased':
          return { holder: undefined, reservations };
      }
    },
  };
}
