import type { Kysely } from 'kysely';
import type pg from 'pg';
import type { RecordedEvent } from '../core/event.ts';
import type { Projection } from './projection.ts';
import { fingerprintOf } from './tables/fingerprint.ts';
import { personalColumns } from './tables/table.ts';

/** The transaction that holds what a batch changes and the checkpoint behind it. `search_path` is the consumer's schema. */
export interface ConsumerTransaction {
  readonly client: pg.ClientBase;
  readonly db: Kysely<never>;
}

/** What the engine delivers events to: a projection or a subscriber, with a schema of its own that holds its checkpoint. */
export interface Consumer {
  /** Also its schema. */
  readonly name: string;
  readonly version: number;
  /** Names the configuration that the rows depend on (`Projection.variant`). Empty for rows that depend on none. */
  readonly variant: string;
  readonly handles: readonly string[];
  /** Identifies the tables that `createTables` makes. Undefined for a subscriber, which has none and is never rebuilt. */
  readonly fingerprint?: (() => Promise<string>) | undefined;
  /** Columns with personal data, by table: reports show that they differ, and not their values. */
  readonly personalColumns?: Readonly<Record<string, readonly string[]>>;
  /** Of streams with different values, no row is changed by both (`ProjectionDeclaration`). */
  readonly independentBy?: ((stream: string) => string) | undefined;
  /** False: nothing waits for its rows right after a command (`Projection.awaited`). */
  readonly awaited?: false | undefined;
  createTables(transaction: ConsumerTransaction): Promise<void>;
  apply(events: readonly RecordedEvent[], transaction: ConsumerTransaction): Promise<void>;
}

export function projectionConsumer<Settings>(projection: Projection<Settings>, settings: Settings): Consumer {
  const { name, version, handles, independentBy, awaited } = projection;
  let fingerprint: Promise<string> | undefined;
  return {
    name,
    version,
    variant: projection.variant?.(settings) ?? '',
    handles,
    fingerprint: () => (fingerprint ??= fingerprintOf((db) => projection.createTables(db))),
    personalColumns: personalColumns(projection.tables),
    independentBy,
    awaited,
    createTables: ({ db }) => projection.createTables(db),
    apply: (events, { db }) => projection.apply(events, db, settings),
  };
}
