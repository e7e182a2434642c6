import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { ReservationEvent } from './events.ts';

export type ReservationCommand =
  | { readonly type: 'Reserve'; readonly userId: string; readonly at: string }
  /** Reserves a name whose holder's registration was abandoned. */
  | { readonly type: 'TakeOver'; readonly from: string; readonly userId: string; readonly at: string }
  /** Has an effect only if the user is the holder. */
  | { readonly type: 'Release'; readonly userId: string; readonly at: string };

export interface ReservationState {
  readonly holder: { readonly userId: string; readonly since: string } | undefined;
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
    initialState: { holder: undefined },

    decide(command, { holder }) {
      const { type, userId, at } = command;
      switch (type) {
        case 'Reserve':
        case 'TakeOver': {
          if (holder === undefined) return [{ type: reserved, data: { userId, at } }];
          if (holder.userId === userId) return [];
          if (type === 'TakeOver' && holder.userId === command.from) {
            return [
              { type: released, data: { userId: command.from, at } },
              { type: reserved, data: { userId, at } },
            ];
          }
          throw new DomainError('conflict', `${name}_taken`, taken, { fields: [{ path: name, message: taken }] });
        }
        case 'Release':
          return holder?.userId === userId ? [{ type: released, data: { userId, at } }] : [];
      }
    },

    evolve(_state, { type, data }) {
      switch (type) {
        case 'EmailReserved':
        case 'UsernameReserved':
          return { holder: { userId: data.userId, since: data.at } };
        case 'EmailReleased':
        case 'UsernameReleased':
          return { holder: undefined };
      }
    },
  };
}
