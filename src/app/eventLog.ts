import type pg from 'pg';
import { abortable } from '../core/abortable.ts';
import { createEventCodec, type EventCodec } from '../core/eventCodec.ts';
import { openPostgresUserKeys } from '../postgres/postgresUserKeys.ts';
import type { EventStore } from '../core/eventStore.ts';
import type { Names } from '../core/names.ts';
import type { EraseInPlace } from '../core/eraseInPlace.ts';
import type { UserKeyStore } from '../core/userKeys.ts';
import { createPostgresEraser } from '../eventStore/postgres/eraseInPlace.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { eventTypes } from '../features/index.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { showPool } from '../telemetry/postgresPool.ts';
import type { Database } from '../postgres/database.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { Process } from './process.ts';

/** A request must be answered (503) even when PostgreSQL hangs. */
const QUERY_TIMEOUT_MS = 10_000;
/** For a command, whose rebuild writes large batches. Nobody waits for an answer. */
const COMMAND_QUERY_TIMEOUT_MS = 60_000;

/** The log, and the database with the keys and the read models. */
export interface EventLog {
  readonly databaseUrl: string;
  /** For commands and queries. */
  readonly pool: pg.Pool;
  /** The log as stored: personal data is sealed, and events have the version in which they were written. */
  readonly rawStore: EventStore;
  readonly codec: EventCodec;
  readonly names: Names;
  readonly keys: UserKeyStore;
  /** Undefined with EventStoreDB, whose events never change. */
  readonly eraseInPlace: EraseInPlace | undefined;
}

/** The log without the keys of personal data. */
export type StoredLog = Pick<EventLog, 'databaseUrl' | 'pool' | 'rawStore'>;

export interface OpenEventLogOptions extends Pick<Process, 'config' | 'connections' | 'logger' | 'parts'> {
  /** Without it, nothing is traced. */
  readonly tracing?: Tracing;
  /** Of a process that shows metrics. */
  readonly metrics?: Metrics;
  /** From `beginDatabase`. */
  readonly database: Promise<Database>;
  /** Aborts the opening, which then fails with the signal's reason. */
  readonly signal?: AbortSignal;
  /** True for a command that may run beside a ReelStream on the same data. */
  readonly shared?: boolean;
}

export async function openEventLog(options: OpenEventLogOptions): Promise<EventLog & { readonly firstStart: boolean }> {
  const { config, signal } = options;
  const stored = await openStoredLog(options);
  const masterKeys = config.secrets.dataKey;
  const pool = openPool(options, stored, 'keys', QUERY_TIMEOUT_MS);
  const keys = await abortable(openPostgresUserKeys({ pool, masterKeys }), signal);
  const eraseInPlace = config.eventStoreUrl === undefined ? createPostgresEraser(stored.pool) : undefined;
  const codec = createEventCodec({ types: eventTypes, keys });
  return { ...stored, codec, names: keys.names, keys, eraseInPlace };
}

export async function openStoredLog(
  options: OpenEventLogOptions,
): Promise<StoredLog & { readonly firstStart: boolean }> {
  const { signal, shared = false } = options;
  const database = await abortable(options.database, signal);
  const databaseUrl = database.url;
  await abortable(migrated(databaseUrl), signal);
  const pool = openPool(options, { databaseUrl }, 'queries', shared ? COMMAND_QUERY_TIMEOUT_MS : QUERY_TIMEOUT_MS);
  const rawStore = await openEventStore(options, databaseUrl);
  return { databaseUrl, firstStart: database.created, pool, rawStore };
}

/** Has no time limit for queries, because a migration may take long. */
async function migrated(connectionString: string): Promise<void> {
  const pool = createPool({ connectionString, name: 'migrate', max: 2 });
  try {
    await migrate(pool);
  } finally {
    await pool.end();
  }
}

type PoolOwner = Pick<Process, 'config' | 'connections' | 'logger' | 'parts'> & { readonly metrics?: Metrics };

/** Opens a pool with the connections of this process for that use. It is closed with the other parts. */
export function openPool(
  { config, connections, logger, parts, metrics }: PoolOwner,
  { databaseUrl }: Pick<EventLog, 'databaseUrl'>,
  use: string,
  queryTimeoutMs?: number,
): pg.Pool {
  const max = connections[use];
  if (max === undefined) throw new Error(`this process has no connections for "${use}"`);
  const pool = createPool({
    connectionString: databaseUrl,
    name: `${config.role} ${use}`,
    max,
    queryTimeoutMs,
    onError: (error) => logger.warn({ err: error }, 'a connection to PostgreSQL was lost'),
  });
  parts.defer(() => pool.end());
  if (metrics !== undefined) showPool({ metrics, pool, name: use });
  return pool;
}

async function openEventStore(options: OpenEventLogOptions, databaseUrl: string): Promise<EventStore> {
  const { config, logger, tracing, parts, metrics } = options;
  const { eventStoreUrl: url } = config;
  if (url !== undefined) {
    const { openEventStoreDb } = await import('./openEventStoreDb.ts');
    return openEventStoreDb({ ...options, url });
  }
  const store = createPostgresEventStore({
    pool: openPool(options, { databaseUrl }, 'log'),
    logger,
    tracing,
    onBatch: onBatchOf(metrics),
  });
  parts.defer(() => store.close());
  return store;
}

/** Counts what an event store appends. */
export function onBatchOf(metrics: Metrics | undefined): ((events: number) => void) | undefined {
  const batches = metrics?.histogram('reelstream_append_batch_events');
  return batches && ((events) => batches.observe(events));
}
