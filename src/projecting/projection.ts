import type { Kysely } from 'kysely';
import type { DomainEvent, RecordedEvent } from '../core/event.ts';

/**
 * A read model: tables in a PostgreSQL schema of its own, and how events change them.
 *
 * The engine promises `apply` every event of the `handles` types, once in effect, in the order of each stream. It does
 * not promise an order between streams (Kafka has several partitions), so what `apply` leaves behind must
 * not depend on it: a like may come before the upload of its video.
 */
export interface Projection<Tables = never, Event extends DomainEvent = DomainEvent> {
  /** Also the name of its schema. */
  readonly name: string;
  /** Raised whenever the same events would now give other rows or other tables; a start with another version in place rebuilds. */
  readonly version: number;
  readonly handles: readonly Event['type'][];
  /** Creates the tables. `db` already points at the schema; qualify nothing. */
  createTables(db: Kysely<Tables>): Promise<void>;
  /** Folds a batch into deltas first, then writes them with one statement a table, rows in key order (so that two writers cannot deadlock). */
  apply(events: readonly RecordedEvent<Event>[], db: Kysely<Tables>): Promise<void>;
}
