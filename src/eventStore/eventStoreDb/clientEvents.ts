import { START, type AllStreamResolvedEvent, type ReadPosition, type ResolvedEvent } from '@eventstore/db-client';
import type { EventMetadata, RecordedEvent } from '../../core/event.ts';

type ClientEvent = NonNullable<ResolvedEvent['event'] | AllStreamResolvedEvent['event']>;

/** On the server, the metadata of an event also has its hash. */
type StoredMetadata = EventMetadata & { readonly hash?: string };

/** Undefined for an event that was recorded before there were hashes. */
export function hashIn(event: ClientEvent): string | undefined {
  return (event.metadata as StoredMetadata | undefined)?.hash;
}

/**
 * Whether an event on the server is part of our log. The server's own events (`$…`: statistics, links, stream metadata)
 * and binary events of others are not. `head`, positions and batches never include those.
 */
export function isOurs(event: ClientEvent): boolean {
  return event.isJson && !event.type.startsWith('$');
}

/** With `hashes`, the event has its hash. Its metadata never has it. */
export function toRecorded(event: ClientEvent, hashes = false): RecordedEvent {
  const { hash, ...metadata } = (event.metadata ?? {}) as unknown as StoredMetadata;
  return {
    ...(hashes && hash !== undefined && { hash }),
    id: event.id,
    type: event.type,
    data: event.data as object,
    metadata,
    stream: event.streamId,
    revision: Number(event.revision),
    position: positionOf(event),
    time: event.created,
  };
}

/** The commit position: a byte offset in the server's log. Every event that was appended over gRPC has its own. */
export function positionOf(event: ClientEvent): bigint {
  if (event.position === undefined)
    throw new Error('this EventStoreDB does not send the positions of events: version 22.10 or newer is needed');
  return event.position.commit;
}

/**
 * The client's form of a position. Reads from it include the event at the position; subscriptions begin after it.
 * An event that was appended over gRPC commits itself, so its prepare position equals its commit position.
 */
export function clientPosition(position: bigint): ReadPosition {
  return position === 0n ? START : { commit: position, prepare: position };
}
