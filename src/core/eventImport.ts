import type { RecordedEvent } from './event.ts';

/**
 * Adds events of another log to the end of this one as they are: with their ids, revisions, hashes and times, in their
 * order. Positions are those of this log. Nothing else may write to it meanwhile.
 */
export interface EventImport {
  /**
   * Resolves when the events are durable. After a failure, the first of them may be in the log, and none out of order.
   * @throws ImportRefused when they cannot follow the end of the log; EventStoreUnavailable.
   */
  add(events: readonly RecordedEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** The events do not continue this log: something else has written to it. */
export class ImportRefused extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ImportRefused';
  }
}
