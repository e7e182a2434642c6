import { erasedFieldsOf, erasureRecord, erasureRecordsOf, type ErasureRecord } from '../../core/erasedFields.ts';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { Break } from './checkLog.ts';

type Erased = Pick<RecordedEvent, 'position' | 'stream' | 'revision'> & { readonly found: ErasureRecord };

/** The events of a check whose text is erased. The hash of each fits only what it was: a later event says what is left. */
export interface Erasures {
  /** Answers false for an event that is as it was recorded. */
  add(event: RecordedEvent): boolean;
  /** The first event of which no later event of its stream says that it was erased, and to what is there now. */
  broken(signal?: AbortSignal): Promise<Break | undefined>;
}

export function createErasures(store: Pick<EventStore, 'readStream'>): Erasures {
  const erased: Erased[] = [];

  return {
    add(event) {
      if (erasedFieldsOf(event) === undefined) return false;
      const { position, stream, revision } = event;
      erased.push({ position, stream, revision, found: erasureRecord(event) });
      return true;
    },
    async broken(signal) {
      for (const [stream, ofStream] of Map.groupBy(erased, ({ stream }) => stream)) {
        // Read now: the log may have been read up to a position before the record.
        const records = await recordsOf(store, stream, ofStream[0]!.revision + 1, signal);
        for (const { position, revision, found } of ofStream) {
          const problem = problemOf(found, records.get(revision));
          if (problem !== undefined) return { position, stream, revision, problem };
        }
      }
      return undefined;
    },
  };
}

async function recordsOf(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  from: number,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, ErasureRecord>> {
  const records = new Map<number, ErasureRecord>();
  for await (const event of store.readStream(stream, { from, ...(signal && { signal }) }))
    for (const record of erasureRecordsOf(event)) records.set(record.revision, record);
  return records;
}

function problemOf(found: ErasureRecord, record: ErasureRecord | undefined): string | undefined {
  if (record === undefined) return 'It says that its text was erased, but no later event of its stream does.';
  if (record.recorded !== found.recorded) return 'Its text was erased, but it had another hash before that.';
  if (record.left !== found.left) return 'Its text was erased, and what was left of it was changed since.';
  return undefined;
}
