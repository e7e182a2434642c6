import type { EventBatch, ReadAllOptions } from '../core/eventStore.ts';

/** A range of the log to read. */
export interface PageRequest {
  /** Exclusive. */
  readonly after: bigint;
  /** Inclusive; not beyond the head. */
  readonly until: bigint;
  readonly types?: readonly string[];
  readonly batchSize?: number;
  readonly hashes?: boolean;
  readonly readAhead?: boolean;
  readonly signal?: AbortSignal;
}

/** What an adapter can read of the log. */
export interface LogReader {
  head(signal?: AbortSignal): Promise<bigint>;
  /** The range in pages; the last one ends at `until`. */
  pages(request: PageRequest): AsyncIterable<EventBatch>;
}

/** `EventStore.readAll` for both adapters: reads up to the head, and on while the head has moved meanwhile. */
export async function* readToHead(
  { head, pages }: LogReader,
  { after, until, ...options }: ReadAllOptions,
): AsyncGenerator<EventBatch> {
  for (let position = after; ;) {
    options.signal?.throwIfAborted();
    const reached = await head(options.signal);
    const end = until !== undefined && until < reached ? until : reached;
    if (end <= position) return;
    for await (const batch of pages({ ...options, after: position, until: end })) {
      yield batch;
      position = batch.position;
    }
  }
}
