import type pg from 'pg';
import type { Consumer, ConsumerTransaction } from './consumer.ts';
import { FINGERPRINT_TABLE, keepFingerprint } from './tables/storedFingerprint.ts';
import { inTransaction } from './transaction.ts';

/** Statements may be sent before earlier ones are answered. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** How far a consumer is in one partition. */
export interface Checkpoint {
  readonly partition: number;
  /** How many partitions there are: a position has a meaning only under the layout in which it was reached. */
  readonly partitions: number;
  /** Of the consumer's tables, which lie beside it. */
  readonly version: number;
  /** Of the consumer's rows: the configuration that they depend on. */
  readonly variant: string;
  /** Everything in the partition up to and including it is in the rows, or parked. */
  readonly position: bigint;
  /** Identifies the log that the position belongs to (`logId.ts`); null at position 0. */
  readonly logId: string | null;
  /** Whether streams of this partition may have parked events. */
  readonly parks: boolean;
}

/**
 * The checkpoint's row no longer exists: another layout, version or variant, or a rebuild, has replaced it. Nothing was
 * changed.
 */
export class Superseded extends Error {
  constructor(schema: string) {
    super(`another layout, version or variant has replaced the checkpoint of ${schema}`);
    this.name = 'Superseded';
  }
}

/** A partition's checkpoint is before the beginning of the batch: the events in between would be lost. Nothing was changed. */
export class CheckpointBehind extends Error {
  constructor({ partition, position }: Pick<Checkpoint, 'partition' | 'position'>) {
    super(`the checkpoint of partition ${partition} is at ${position}, before the batch begins`);
    this.name = 'CheckpointBehind';
  }
}

const TABLES = `
  create table checkpoints (
    partition int primary key,
    partitions int not null,
    version int not null,
    variant text not null default '',
    position bigint not null,
    log_id text,
    parks boolean not null default false,
    created_at timestamptz not null default now()
  );
  create table parked_events (
    position bigint primary key,
    stream text not null,
    revision int not null,
    id uuid not null,
    type text not null,
    error text not null,
    attempts int not null,
    parked_at timestamptz not null default now()
  );
  create index of_stream on parked_events (stream, position)`;

/** Holds the checkpoints of tables that were replaced and are kept. */
export const KEPT_CHECKPOINTS = 'kept_checkpoints';

/** The engine's own tables in a consumer's schema. */
export const bookkeepingTables: readonly string[] = [
  'checkpoints',
  'parked_events',
  KEPT_CHECKPOINTS,
  FINGERPRINT_TABLE,
];

/** Creates the consumer's schema and tables unless they exist, in any version. New ones get `version` and
 * `partitions`. Returns the checkpoints. */
export async function install(
  pool: pg.Pool,
  consumer: Consumer,
  schema: string,
  { version = consumer.version, partitions = 1 }: { version?: number; partitions?: number } = {},
): Promise<Checkpoint[]> {
  return inTransaction(pool, { schema }, async (transaction) => {
    const { client } = transaction;
    await lockInstalling(client);
    // `create schema if not exists` trusts this session's catalog cache, which an advisory lock does not refresh: after
    // the wait it would create the schema a second time and fail. A query on the catalog refreshes the cache.
    const { rowCount: found } = await client.query('select from pg_namespace where nspname = $1', [schema]);
    if (found === 0) await client.query(`create schema "${schema}"`);
    const { rows } = await client.query<{ exists: boolean }>(`select to_regclass('checkpoints') is not null as exists`);
    if (rows[0]!.exists) {
      await addVariant(client);
    } else {
      await client.query(TABLES);
      await consumer.createTables(transaction);
      if (consumer.fingerprint !== undefined) await keepFingerprint(client, await consumer.fingerprint());
      const { variant } = consumer;
      await writeEvenLayout(client, { partitions, version, variant, position: 0n, logId: null });
    }
    return readCheckpoints(client);
  });
}

/** Checkpoints that an older program created have no variant. Looks first: `alter table` would wait for every query. */
async function addVariant(client: Queryable): Promise<void> {
  const { rowCount: found } = await client.query(
    `select from pg_attribute where attrelid = 'checkpoints'::regclass and attname = 'variant'`,
  );
  if (found === 0)
    await client.query(`alter table checkpoints add column if not exists variant text not null default ''`);
}

/** Several processes may start at once. One at a time installs; the others wait here until its transaction ends. */
export async function lockInstalling(client: Queryable): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('reelstream.install', 0))`);
}

/** An older program may put checkpoints without the column `variant` in place at any time. */
const VARIANT = `coalesce(to_jsonb(checkpoints) ->> 'variant', '')`;
const COLUMNS = `partition, partitions, version, ${VARIANT} as variant, position, log_id as "logId", parks`;

/** Whether the rows are of the version and the variant that this program declares. */
export function isDeclared(
  { version, variant }: Pick<Checkpoint, 'version' | 'variant'>,
  consumer: Pick<Consumer, 'version' | 'variant'>,
): boolean {
  return version === consumer.version && variant === consumer.variant;
}

/** In the order of the partitions. */
export async function readCheckpoints(
  client: Queryable,
  schema?: string,
  table = 'checkpoints',
): Promise<Checkpoint[]> {
  const from = schema === undefined ? table : `"${schema}".${table}`;
  return (await client.query<Checkpoint>(`select ${COLUMNS} from ${from} checkpoints order by partition`)).rows;
}

/**
 * Keeps every other writer of this consumer out until the transaction ends. Transactions that replace the rows first take
 * an advisory lock, one after the other: a row lock that is granted after its row was replaced returns neither row.
 */
export async function lockAllCheckpoints({ client }: ConsumerTransaction, name: string): Promise<Checkpoint[]> {
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`reelstream.layout ${name}`]);
  return (await client.query<Checkpoint>(`select ${COLUMNS} from checkpoints order by partition for update`)).rows;
}

export interface LockOptions extends Pick<Checkpoint, 'partitions' | 'version' | 'variant'> {
  /** Does not wait for the locks of others: they count as superseded. False by default. */
  readonly skipLocked?: boolean;
}

/** Locks the checkpoints of these partitions. Returns them in the order of the partitions. @throws Superseded */
export async function lockCheckpoints(
  client: Queryable,
  schema: string,
  wanted: readonly number[],
  { partitions, version, variant, skipLocked = false }: LockOptions,
): Promise<Checkpoint[]> {
  const { rows } = await client.query<Checkpoint>({
    name: `lock${skipLocked ? 'Free' : ''} ${schema}`,
    text: `select ${COLUMNS} from "${schema}".checkpoints
     where partition = any($1::int[]) and partitions = $2 and version = $3 and ${VARIANT} = $4
     order by partition for update ${skipLocked ? 'skip locked' : ''}`,
    values: [wanted, partitions, version, variant],
  });
  if (rows.length !== wanted.length) throw new Superseded(schema);
  return rows;
}

export async function moveCheckpoints(
  client: Queryable,
  schema: string,
  places: readonly { readonly partition: number; readonly position: bigint }[],
  { logId, parks }: { logId: string | null; parks: boolean },
): Promise<void> {
  await client.query({
    name: `move ${schema}`,
    text: `update "${schema}".checkpoints c set position = p.position, log_id = coalesce(log_id, $3), parks = parks or $4
     from unnest($1::int[], $2::bigint[]) p(partition, position) where c.partition = p.partition`,
    values: [places.map(({ partition }) => partition), places.map(({ position }) => position), logId, parks],
  });
}

/** Replaces all rows: every partition is at one position. */
export async function writeEvenLayout(
  client: Queryable,
  { partitions, version, variant, position, logId }: Omit<Checkpoint, 'partition' | 'parks'>,
): Promise<void> {
  await client.query('delete from checkpoints');
  await client.query(
    `insert into checkpoints (partition, partitions, version, variant, position, log_id, parks)
     select partition, $1, $2, $3, $4, $5, exists (select from parked_events) from generate_series(0, $1::int - 1) partition`,
    [partitions, version, variant, position, logId],
  );
}
