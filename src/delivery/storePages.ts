import { partitionOf } from '../core/partitions.ts';
import { EventStoreUnavailable, type EventBatch, type EventStore } from '../core/eventStore.ts';

/** Readers that are at the same position share a page. Only the newest are kept: each takes a few megabytes. */
const PAGES_KEPT = 2;

/** Reads events that are no longer in memory, a page at a time. */
export interface StorePages {
  /** The events of the partition in (after, until], or the first page of them. */
  read(partition: number, partitions: number, after: bigint, until: bigint): Promise<EventBatch>;
}

export function createStorePages(store: Pick<EventStore, 'readAll'>): StorePages {
  /** The oldest first. */
  let pages: { readonly after: bigint; readonly batch: Promise<EventBatch> }[] = [];

  function page(after: bigint, until: bigint): Promise<EventBatch> {
    const found = pages.find((page) => page.after === after);
    if (found !== undefined) return found.batch;
    const read = { after, batch: firstPage(store, after, until) };
    pages = [...pages, read].slice(-PAGES_KEPT);
    read.batch.catch(() => (pages = pages.filter((page) => page !== read)));
    return read.batch;
  }

  return {
    async read(partition, partitions, after, until) {
      const { events, position } = await page(after, until);
      return { events: events.filter(({ stream }) => partitionOf(stream, partitions) === partition), position };
    },
  };
}

async function firstPage(store: Pick<EventStore, 'readAll'>, after: bigint, until: bigint): Promise<EventBatch> {
  for await (const batch of store.readAll({ after, until, readAhead: false })) return batch;
  throw new EventStoreUnavailable(
    `the log should reach ${until} but ends before it; the events are read as soon as the store shows them`,
  );
}
