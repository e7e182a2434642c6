import type { Appended } from '../../core/appended.ts';
import type { CommandContext } from '../../core/commandContext.ts';
import { handleCommand, type CommandOutcome } from '../../core/commandHandler.ts';
import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { readState } from '../../core/readState.ts';
import type { ParkedEvents } from '../../projecting/parking/createParkedEvents.ts';
import type { ReadDiscarded } from '../../projecting/parking/discarded.ts';
import type { ParkedEvent } from '../../projecting/parking/parkedEvents.ts';
import type { Retried } from '../../projecting/parking/parkedStream.ts';
import type { ParkedEventDiscarded } from './events.ts';

export type Discard = ParkedEventDiscarded['data'];

type DiscardCommand = { readonly type: 'DiscardParkedEvent' } & Discard;

/** The discards of one projection, by the id of the discarded event. */
type Discards = ReadonlyMap<string, Discard>;

/** The first discard of an event is kept; a later one changes nothing. */
export const discardDecider: Decider<DiscardCommand, ParkedEventDiscarded, Discards> = {
  initialState: new Map(),

  decide({ type: _, ...data }, discards) {
    return discards.has(data.eventId) ? [] : [{ type: 'ParkedEventDiscarded', data }];
  },

  evolve: (discards, { data }) => new Map(discards).set(data.eventId, data),
};

/** What these functions work with. */
export interface DiscardParts {
  /** Its events are decoded. */
  readonly store: Pick<EventStore, 'append' | 'readStream'>;
  readonly parked: Pick<ParkedEvents, 'retry' | 'discard'>;
}

/** The port through which projections learn what they must not apply. */
export function discardedEvents(store: Pick<EventStore, 'readStream'>): ReadDiscarded {
  return async (projection) =>
    new Set([...(await readDiscards(store, projection)).values()].map(({ position }) => BigInt(position)));
}

/**
 * Retries the parked events of a stream, whose first one has this id.
 * @throws DomainError `event_discarded`, `event_fails_again` when not even the first one could be applied, and those of
 * `retryParked`
 */
export async function retryParkedEvent({ store, parked }: DiscardParts, name: string, id: string): Promise<Retried> {
  const discard = (await readDiscards(store, name)).get(id.toLowerCase());
  if (discard !== undefined) throw eventDiscarded(discard);
  const retried = await parked.retry(name, id);
  if (retried.applied === 0 && retried.failed !== undefined) throw failsAgain(name, retried.failed);
  return retried;
}

export interface DiscardRequest {
  readonly name: string;
  /** Of the first parked event of its stream. */
  readonly id: string;
  readonly reason: string;
}

export interface Discarded {
  /** As it is in the log: an event that was discarded before keeps its reason. */
  readonly discard: Discard;
  readonly retried: Retried;
  /** Undefined when it was discarded before and is not parked any more. */
  readonly appended: Appended | undefined;
}

/**
 * Records that an event is discarded, removes it from the parked events, and retries the later ones of its stream. The same
 * discard again changes nothing, and finishes the work of a process that died.
 * @throws DomainError those of `discardParked`
 */
export async function discardParkedEvent(
  { store, parked }: DiscardParts,
  { name, reason, ...request }: DiscardRequest,
  context: CommandContext,
): Promise<Discarded> {
  const id = request.id.toLowerCase();
  const by = context.actor ?? 'command line';
  const at = context.now.toISOString();
  let appended: CommandOutcome<ParkedEventDiscarded, Discards> | undefined;
  try {
    const retried = await parked.discard(name, id, async ({ position, stream }) => {
      const event = { projection: name, position: String(position), eventId: id, stream, reason, by, at };
      const command: DiscardCommand = { type: 'DiscardParkedEvent', ...event };
      appended = await handleCommand(store, discardDecider, projectionStream(name), command, context);
    });
    return { discard: appended!.state.get(id)!, retried, appended };
  } catch (error) {
    const discard = isNotParked(error) ? (await readDiscards(store, name)).get(id) : undefined;
    if (discard === undefined) throw error;
    return { discard, retried: { stream: discard.stream, applied: 0, failed: undefined, parked: 0 }, appended };
  }
}

function isNotParked(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'parked_event_not_found';
}

function eventDiscarded({ eventId, reason, at, by }: Discard): DomainError {
  return new DomainError(
    'conflict',
    'event_discarded',
    `The event ${eventId} was discarded at ${at} by ${by} and is never applied. The reason: ${JSON.stringify(reason)}. If it is still listed, discard it again.`,
  );
}

function failsAgain(name: string, { id, attempts, error }: ParkedEvent): DomainError {
  return new DomainError(
    'unprocessable',
    'event_fails_again',
    `${name} still cannot apply the event ${id}, after ${attempts} tries: ${error}. Fix the cause and retry it, or discard it.`,
  );
}

function projectionStream(projection: string): string {
  return `projection-${projection}`;
}

async function readDiscards(store: Pick<EventStore, 'readStream'>, projection: string): Promise<Discards> {
  return (await readState(store, discardDecider, projectionStream(projection))).state;
}
