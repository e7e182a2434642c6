import type { EventStore } from './eventStore.ts';

/**
 * What tells one log from another: the id of its first event, which no log ever loses. Null while the log is empty.
 * Needs nothing to be stored, so it is the same for every kind of store, and for copies of one log.
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
