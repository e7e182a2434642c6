import type { EventStore } from './eventStore.ts';

/**
 * Identifies a log by the id of its first event, which never changes. Null while the log is empty. Nothing has to be
 * stored for it, so it is the same in every kind of store and in copies of a log.
 */
export function createLogId(store: Pick<EventStore, 'readAll'>): () => Promise<string | null> {
  let known: string | null = null;
  return async () => {
    known ??= await firstEventId(store);
    return known;
  };
}

async function firstEventId(store: Pick<EventStore, 'readAll'>): Promise<string | null> {
  for await (const { events } of store.readAll({ after: 0n, batchSize: 1 })) {
    if (events[0] !== undefined) return events[0].id;
  }
  return null;
}
