import { eventHash } from '../../core/eventHash.ts';
import type { NewEvent } from '../../core/event.ts';
import type { PreparedAppend } from '../preparedAppend.ts';
import type { StreamEnd } from './streamEnds.ts';

/**
 * The events with their hashes, as EventStoreDB keeps them: in the metadata. The server sets the time of an event later,
 * so it is not in the hash. Also the end of the stream once they are in it.
 */
export function withHashes(
  { contents }: PreparedAppend,
  events: readonly NewEvent[],
  after: StreamEnd,
): { readonly events: readonly NewEvent[]; readonly end: StreamEnd } {
  let end = after;
  const hashed = events.map((event, n) => {
    end = { revision: end.revision + 1, hash: eventHash(end.hash, contents[n]!, undefined) };
    return { ...event, metadata: { ...event.metadata, hash: end.hash } };
  });
  return { events: hashed, end };
}
