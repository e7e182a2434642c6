import type { RecordedEvent } from './event.ts';

/**
 * Replaces events in the log by what is left of them (`withoutFields`). A later event of the stream has recorded it already
 * (`erasureRecord`). It is safe to repeat.
 */
export type EraseInPlace = (events: readonly RecordedEvent[]) => Promise<void>;
