import { START, type AllStreamResolvedEvent, type ReadPosition, type ResolvedEvent } from '@eventstore/db-client';
import type { EventMetadata, RecordedEvent } from '../../core/event.ts';

type ClientEvent = NonNullable<ResolvedEvent['event'] | AllStreamResolvedEvent['event']>;

/**
 * Whether an event of the server's log belongs to ours. Its own (`$…`: statistics, links, stream metadata) do not, nor
 * does what others have written in binary. `head`, positions and batches know nothing of those.
 */
export function isOurs(event: ClientEvent): boolean {
  return event.isJson && !event.type.startsWith('$');
}

export function toRecorded(event: ClientEvent): RecordedEvent {
  return {
    id: event.id,
    type: event.type,
    data: event.data as object,
    metadata: (event.metadata ?? {}) as unknown as EventMetadata,
    stream: event.streamId,
    revision: Number(event.revision),
    position: positionOf(event),
    time: event.created,
  };
}

/** The commit position: a byte offset in the server's log, and different for every event that came over gRPC. */
export function positionOf(event: ClientEvent): bigint {
  if (event.position === undefined)
    throw new Error('this EventStoreDB does not tell the positions of events: 22.10 or newer is needed');
  return event.position.commit;
}

/**
 * Reads from it include the event that lies there, subscriptions do not. The commit position and the prepare position of
 * an event are the same number: an event that came over gRPC commits itself.
 */
export function clientPosition(position: bigint): ReadPosition {
  return position === 0n ? START : { commit: position, prepare: position };
}
