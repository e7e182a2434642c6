import { START, type AllStreamResolvedEvent, type ReadPosition, type ResolvedEvent } from '@eventstore/db-client';
import { v5 } from 'uuid';
import type { EventMetadata, NewEvent, RecordedEvent } from '../../core/event.ts';

/** Namespace of the ids of copied logs. It must never change. */
const LOG_IDS = '2f0a9c41-6c0b-4f5c-8f0e-0f4f5e1a7d52';

type ClientEvent = NonNullable<ResolvedEvent['event'] | AllStreamResolvedEvent['event']>;

/** On the server, the metadata of an event also has its hash and, if it was copied from another log, its time there. */
type StoredMetadata = EventMetadata & { readonly hash?: string; readonly time?: string };

/** Undefined for an event that was recorded before there were hashes. */
export function hashIn(event: ClientEvent): string | undefined {
  return (event.metadata as StoredMetadata | undefined)?.hash;
}

/** When the event was recorded. The server's own time of a copied event is that of the copy. */
export function timeOf(event: ClientEvent): Date {
  const { time } = (event.metadata ?? {}) as unknown as StoredMetadata;
  return time === undefined ? event.created : new Date(time);
}

/** The stored form of a recorded event, which `toRecorded` reads back as it was. */
export function toCopied({ id, type, data, metadata, hash, time }: RecordedEvent): NewEvent {
  const stored: StoredMetadata = { ...metadata, ...(hash !== undefined && { hash }), time: time.toISOString() };
  return { id, type, data, metadata: stored };
}

/** Of the first event of a log: see `EventStore.logId`. */
export function logIdFrom(event: ClientEvent): string {
  const isCopied = (event.metadata as StoredMetadata | undefined)?.time !== undefined;
  return isCopied ? v5(`${event.id} ${event.created.toISOString()} ${positionOf(event)}`, LOG_IDS) : event.id;
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
  const { hash, time: _, ...metadata } = (event.metadata ?? {}) as unknown as StoredMetadata;
  return {
    ...(hashes && hash !== undefined && { hash }),
    id: event.id,
    type: event.type,
    data: event.data as object,
    metadata,
    stream: event.streamId,
    revision: Number(event.revision),
    position: positionOf(event),
    time: timeOf(event),
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
