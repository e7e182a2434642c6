import type { Decider } from '../../core/decider.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { readState } from '../../core/readState.ts';
import type { ReadDiscarded } from '../../projecting/parking/discarded.ts';
import type { ParkedEventDiscarded } from './events.ts';

export type DiscardCommand = { readonly type: 'DiscardParkedEvent' } & ParkedEventDiscarded['data'];

export type Discard = ParkedEventDiscarded['data'];

/** The discards of one projection, by the id of the discarded event. */
export type Discards = ReadonlyMap<string, Discard>;

export const discardDecider: Decider<DiscardCommand, ParkedEventDiscarded, Discards> = {
  initialState: new Map(),

  decide({ type: _, ...data }, discards) {
    return discards.has(data.eventId) ? [] : [{ type: 'ParkedEventDiscarded', data }];
  },

  evolve: (discards, { data }) => new Map(discards).set(data.eventId, data),
};

export function projectionStream(projection: string): string {
  return `projection-${projection}`;
}

export async function readDiscards(store: Pick<EventStore, 'readStream'>, projection: string): Promise<Discards> {
  return (await readState(store, discardDecider, projectionStream(projection))).state;
}

/** The port through which projections learn what they must not apply. `store` decodes events. */
export function discardedEvents(store: Pick<EventStore, 'readStream'>): ReadDiscarded {
  return async (projection) =>
    new Set([...(await readDiscards(store, projection)).values()].map(({ position }) => BigInt(position)));
}
