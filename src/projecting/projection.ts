import type { Kysely } from 'kysely';
import type { DomainEvent, RecordedEvent } from '../core/event.ts';

/**
 * A read model: tables in a PostgreSQL schema of its own, and how events change them.
 *
 * The engine promises `apply` every event of the `handles` types, once in effect, in the order of each stream. It does
 * not promise an order between streams (Kafka has several partitions), so the rows must not depend on it: a like may
 * come before the upload of its video.
 */
export interface Projection<Tables = never, Event extends DomainEvent = DomainEvent> {
  /** Also the name of its schema. */
  readonly name: string;
  /**
   * At least 1. Raise it whenever the same events would give other rows or other tables. A start with an older version in
   * place rebuilds the tables beside it; a start with other tables and the same version is refused.
   */
  readonly version: number;
  readonly handles: readonly Event['type'][];
  /** Creates the tables. `db` already points at the schema: do not qualify names. Also called without a database, to identify the tables: make no decision on what a query returns. */
  createTables(db: Kysely<Tables>): Promise<void>;
  /** Folds a batch into deltas first, then writes them with one statement for each table, rows in key order (so that two writers cannot deadlock). */
  apply(events: readonly RecordedEvent<Event>[], db: Kysely<Tables>): Promise<void>;
}
