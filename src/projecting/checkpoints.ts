import type pg from 'pg';
import type { Consumer, ConsumerTransaction } from './consumer.ts';
import type { Statement } from './statement.ts';
import { FINGERPRINT_TABLE, keepFingerprint } from './tables/storedFingerprint.ts';
import { HAS_BEGUN, inTransaction } from './transaction.ts';

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
  readonly schema: string;

  constructor(schema: string) {
    super(`another layout, version or variant has replaced the checkpoint of ${schema}`);
    this.name = 'Superseded';
    this.schema = schema;
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

/** A reader that meets a swap finds no checkpoint, and looks again, but not more often than this. */
export const MOST_LOOKS = 3;

/** In the order of the partitions. None: a swap replaced the table after it was looked up, and deleted its rows. */
export async function readCheckpoints(
  client: Queryable,
  schema?: string,
  table = 'checkpoints',
): Promise<Checkpoint[]> {
  const from = schema === undefined ? table : `"${schema}".${table}`;
  return (await client.query<Checkpoint>(`select ${COLUMNS} from ${from} checkpoints order by partition`)).rows;
}

export interface CheckpointOf extends Checkpoint {
  readonly schema: string;
}

/** The checkpoints of several schemas, in one question. @throws when a schema or its table does not exist */
export async function readCheckpointsOf(
  client: Queryable,
  schemas: readonly string[],
): Promise<readonly CheckpointOf[]> {
  const each = schemas.map(
    (schema) => `select '${schema}' as schema, ${COLUMNS} from "${schema}".checkpoints checkpoints`,
  );
  return (await client.query<CheckpointOf>(each.join(' union all '))).rows;
}

/**
 * Keeps every other writer of this consumer out until the transaction ends. Transactions that replace the rows first take
 * an advisory lock, one after the other: a row lock that is granted after its row was replaced returns neither row.
 */
export async function lockAllCheckpoints({ client }: ConsumerTransaction, name: string): Promise<Checkpoint[]> {
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`reelstream.layout ${name}`]);
  return (await client.query<Checkpoint>(`select ${COLUMNS} from checkpoints order by partition for update`)).rows;
}

type Layout = Pick<Checkpoint, 'partitions' | 'version' | 'variant'>;

/** Locks the checkpoints of these partitions. Returns them in the order of the partitions. @throws Superseded */
export async function lockCheckpoints(
  client: Queryable,
  schema: string,
  wanted: readonly number[],
  { partitions, version, variant }: Layout,
): Promise<Checkpoint[]> {
  const { rows } = await client.query<Checkpoint>(
    `select ${COLUMNS} from checkpoints
     where partition = any($1::int[]) and partitions = $2 and version = $3 and ${VARIANT} = $4 order by partition for update`,
    [wanted, partitions, version, variant],
  );
  if (rows.length !== wanted.length) throw new Superseded(schema);
  return rows;
}

/** Checkpoints to move, of one consumer. */
export interface Move extends Layout {
  readonly schema: string;
  readonly places: readonly { readonly partition: number; readonly position: bigint }[];
  readonly logId: string | null;
}

export interface ExactMove extends Move {
  readonly places: readonly { readonly partition: number; readonly after: bigint; readonly position: bigint }[];
}

/**
 * Locks checkpoints and moves them, but none of them back, in one statement. Returns them as they were, for each move in the
 * order of the partitions. The caller then writes the rows, or rolls back. May be sent before the answer to `beginning`.
 * @param skipLocked does not wait for the locks of others: they count as superseded
 * @throws Superseded, with nothing changed yet
 */
export async function moveCheckpoints(
  client: Queryable,
  moves: readonly Move[],
  { skipLocked = false } = {},
): Promise<Checkpoint[][]> {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const ctes = moves.map(({ schema, places, partitions, version, variant, logId }, index) => {
    const partitionsOf = parameter(places.map(({ partition }) => partition));
    const positionsOf = parameter(places.map(({ position }) => position));
    return `m${index} as (
      update "${schema}".checkpoints c
      set position = greatest(c.position, p.position), log_id = coalesce(c.log_id, ${parameter(logId)})
      from unnest(${partitionsOf}::int[], ${positionsOf}::bigint[]) p(partition, position), (
        select ${COLUMNS} from "${schema}".checkpoints
        where ${HAS_BEGUN} and partition = any(${partitionsOf}) and partitions = ${parameter(partitions)}
          and version = ${parameter(version)} and ${VARIANT} = ${parameter(variant)}
        order by partition for update ${skipLocked ? 'skip locked' : ''}) o
      where c.partition = o.partition and p.partition = o.partition
      returning o.*)`;
  });
  const selects = moves.map((_, index) => `select ${index} as move, * from m${index}`);
  const { rows } = await client.query<Checkpoint & { readonly move: number }>({
    name: nameOf(moves, skipLocked),
    text: `with ${ctes.join(', ')} ${selects.join(' union all ')}`,
    values,
  });
  return moves.map(({ schema, places }, index) => {
    const found = rows.filter(({ move }) => move === index).toSorted((a, b) => a.partition - b.partition);
    if (found.length !== places.length) throw new Superseded(schema);
    return found;
  });
}

/**
 * A statement that moves these checkpoints from exactly where their batches begin. It fails unless it moves all of them. It waits for no
 * lock, and moves no checkpoint whose partition may have parked events.
 */
export function exactMove(moves: readonly ExactMove[]): Statement {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const ctes = moves.map(({ schema, places, partitions, version, variant, logId }, index) => {
    const partitionsOf = parameter(places.map(({ partition }) => partition));
    const aftersOf = parameter(places.map(({ after }) => after));
    const positionsOf = parameter(places.map(({ position }) => position));
    return `m${index} as (
      update "${schema}".checkpoints c
      set position = p.position, log_id = coalesce(c.log_id, ${parameter(logId)})
      from unnest(${partitionsOf}::int[], ${aftersOf}::bigint[], ${positionsOf}::bigint[]) p(partition, after, position), (
        select partition from "${schema}".checkpoints
        where partition = any(${partitionsOf}::int[]) and partitions = ${parameter(partitions)}
          and version = ${parameter(version)} and ${VARIANT} = ${parameter(variant)} and not parks
        order by partition for update skip locked) o
      where c.partition = o.partition and p.partition = o.partition and c.position = p.after
      returning c.partition)`;
  });
  const moved = moves.map((_, index) => `(select count(*) from m${index})`).join(' + ');
  const wanted = parameter(moves.reduce((sum, { places }) => sum + places.length, 0));
  // A division by zero ends the transaction.
  return { text: `with ${ctes.join(', ')} select 1 / (${moved} = ${wanted})::int`, values };
}

/** There are as many statements as combinations of consumers that move together. */
const names = new Map<string, string>();

function nameOf(moves: readonly Move[], skipLocked: boolean): string {
  const key = `${skipLocked} ${moves.map(({ schema }) => schema).join(' ')}`;
  const name = names.get(key) ?? `move ${names.size}`;
  names.set(key, name);
  return name;
}

/** Notes that streams of these partitions have parked events. `search_path` is the consumer's schema. */
export async function noteParks(client: Queryable, partitions: readonly number[]): Promise<void> {
  await client.query('update checkpoints set parks = true where partition = any($1::int[])', [partitions]);
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
