import type { Kysely } from 'kysely';
import type { DomainEvent, RecordedEvent } from '../core/event.ts';
import { createTables, type Database, type Table } from './tables/table.ts';

/**
 * A read model: tables in a PostgreSQL schema of its own, and how events change them. `defineProjection` makes one.
 *
 * The engine promises `apply` every event of the `handles` types, once in effect, in the order of each stream. It does
 * not promise an order between streams (Kafka has several partitions), so the rows must not depend on it: a like may
 * come before the upload of its video.
 *
 * `Settings` is the part of the configuration that the rows depend on, if any. `variant` names it.
 */
export interface Projection<Settings = unknown> {
  /** Also the name of its schema. */
  readonly name: string;
  /**
   * At least 1. Raise it whenever the same events would give other rows or other tables. A start with an older version in
   * place rebuilds the tables beside it; a start with other tables and the same version is refused.
   */
  readonly version: number;
  readonly tables: readonly Table[];
  readonly handles: readonly string[];
  /**
   * For rows that depend on configuration: names the settings that they depend on, without spaces. Rows of another variant
   * are replaced like those of an older version. Without it, and for the settings that a new system has, `''`.
   */
  variant?(settings: Settings): string;
  /**
   * Taken from the name of a stream. When events of streams with different values never change the same row, a rebuild
   * applies them at the same time, on two connections. A row of all streams, such as a total, is then only added to, by an
   * `upsert`. Undefined when any two events may change the same row.
   */
  readonly independentBy?: ((stream: string) => string) | undefined;
  /**
   * False: answers to commands do not wait until the rows show them, and events are gathered for longer before they are
   * applied. For rows that are dear to write; the queries that read them wait instead (`ReadYourWrites.untilFresh`).
   */
  readonly awaited?: false;
  /** Creates the tables in the schema that `db` points at. Also called without a database, to identify the tables. */
  createTables(db: Kysely<never>): Promise<void>;
  /** `db` points at the projection's schema. */
  apply(events: readonly RecordedEvent[], db: Kysely<never>, settings: Settings): Promise<void>;
}

export interface ProjectionDeclaration<
  Name extends string,
  Tables extends readonly Table[],
  Event extends DomainEvent,
  Settings,
> extends Pick<Projection<Settings>, 'version' | 'variant' | 'independentBy' | 'awaited'> {
  readonly name: Name;
  readonly tables: Tables;
  readonly handles: readonly Event['type'][];
  /**
   * Folds a batch into deltas first, then writes them with one `upsert` a table. A rebuild merges the rows of many batches before it
   * writes them, unless a statement other than `upsert` names their table.
   */
  apply(events: readonly RecordedEvent<Event>[], db: Kysely<Database<Tables>>, settings: Settings): Promise<void>;
}

/** A projection whose name and tables the compiler knows. */
export interface DefinedProjection<
  Name extends string,
  Tables extends readonly Table[],
  Settings = unknown,
> extends Projection<Settings> {
  readonly name: Name;
  readonly tables: Tables;
}

/** Keeps the name and the tables as literal types, so that the types of queries follow from them. */
export function defineProjection<
  const Name extends string,
  const Tables extends readonly Table[],
  Event extends DomainEvent,
  Settings = unknown,
>(declaration: ProjectionDeclaration<Name, Tables, Event, Settings>): DefinedProjection<Name, Tables, Settings> {
  const { tables, apply } = declaration;
  return {
    ...declaration,
    createTables: (db) => createTables(db, tables),
    // The engine delivers events of the `handles` types only, and a `db` whose schema holds the tables.
    apply: apply as unknown as Projection<Settings>['apply'],
  };
}
