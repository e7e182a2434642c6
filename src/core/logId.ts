import type { EventStore } from './eventStore.ts';

/** Identifies a log and its positions (`EventStore.logId`). Null while the log is empty. */
export function createLogId(store: Pick<EventStore, 'logId'>): () => Promise<string | null> {
  return remembered(() => store.logId());
}

/**
 * Identifies what happened, by the id of the first event. Nothing has to be stored for it, so it is the same in copies of
 * a log, also in another kind of store. Null while the log is empty.
 */
export function createFirstEventId(store: Pick<EventStore, 'readAll'>): () => Promise<string | null> {
  return remembered(async () => {
    for await (const { events } of store.readAll({ after: 0n, batchSize: 1, readAhead: false })) {
      if (events[0] !== undefined) return events[0].id;
    }
    return null;
  });
}

/** An id never changes once there is one. */
function remembered(find: () => Promise<string | null>): () => Promise<string | null> {
  let known: string | null = null;
  return async () => (known ??= await find());
}
