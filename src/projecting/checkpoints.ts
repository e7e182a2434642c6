import type pg from 'pg';
import type { Consumer, ConsumerTransaction } from './consumer.ts';
import { inTransaction } from './transaction.ts';

/** How far a consumer is in one partition. */
export interface Checkpoint {
  readonly partition: number;
  /** How many partitions there are: a position means something only under the layout it was reached in. */
  readonly partitions: number;
  /** Of the consumer, whose tables lie beside it. */
  readonly version: number;
  /** Everything of the partition up to and including it is in the rows, or parked. */
  readonly position: bigint;
  /** Which log the position is of (`logId.ts`); null at position 0. */
  readonly logId: string | null;
  /** Whether streams of this partition may have parked events. */
  readonly parks: boolean;
}

/** The row is not there: another layout, another version or a rebuild has taken over since. Nothing was changed. */
export class Superseded extends Error {
  constructor(schema: string) {
    super(`the checkpoint of ${schema} has been taken over by another layout or version`);
    this.name = 'Superseded';
  }
}

/** A partition's checkpoint is before the batch's beginning: what lies between would be lost. Nothing was changed. */
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

/** The engine's own tables in a consumer's schema. */
export const bookkeepingTables: readonly string[] = ['checkpoints', 'parked_events'];

/** Creates the consumer's schema and tables unless they are there, in any version. Answers where it stands. */
export async function install(pool: pg.Pool, consumer: Consumer, schema: string): Promise<Checkpoint[]> {
  return inTransaction(pool, { schema }, async (transaction) => {
    const { client } = transaction;
    // Several processes may start at once. One at a time installs; the others wait here.
    await client.query(`select pg_advisory_xact_lock(hashtextextended('reelstream.install', 0))`);
    // `create schema if not exists` trusts this session's catalog cache, which an advisory lock does not refresh: after
    // the wait it would create the schema a second time and fail. A query on the catalog refreshes the cache.
    const { rowCount: found } = await client.query('select from pg_namespace where nspname = $1', [schema]);
    if (found === 0) await client.query(`create schema "${schema}"`);
    const { rows } = await client.query<{ there: boolean }>(`select to_regclass('checkpoints') is not null as there`);
    if (!rows[0]!.there) {
      await client.query(TABLES);
      await consumer.createTables(transaction);
      await writeEvenLayout(client, { partitions: 1, version: consumer.version, position: 0n, logId: null });
    }
    return readCheckpoints(client);
  });
}

const COLUMNS = 'partition, partitions, version, position, log_id as "logId", parks';

/** In the order of the partitions. */
export async function readCheckpoints(client: Pick<pg.ClientBase, 'query'>, schema?: string): Promise<Checkpoint[]> {
  const table = schema === undefined ? 'checkpoints' : `"${schema}".checkpoints`;
  return (await client.query<Checkpoint>(`select ${COLUMNS} from ${table} order by partition`)).rows;
}

/**
 * Keeps every other writer of this consumer out until the transaction ends. Those who change which rows there are come
 * one after the other: a row lock that is granted when its row has been replaced shows neither the old nor the new.
 */
export async function lockAllCheckpoints({ client }: ConsumerTransaction, name: string): Promise<Checkpoint[]> {
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`reelstream.layout ${name}`]);
  return (await client.query<Checkpoint>(`select ${COLUMNS} from checkpoints order by partition for update`)).rows;
}

/** Of these partitions, in their order. @throws Superseded */
export async function lockCheckpoints(
  { client }: ConsumerTransaction,
  schema: string,
  wanted: readonly number[],
  { partitions, version }: Pick<Checkpoint, 'partitions' | 'version'>,
): Promise<Checkpoint[]> {
  const { rows } = await client.query<Checkpoint>(
    `select ${COLUMNS} from checkpoints where partition = any($1::int[]) and partitions = $2 and version = $3 order by partition for update`,
    [wanted, partitions, version],
  );
  if (rows.length !== wanted.length) throw new Superseded(schema);
  return rows;
}

export async function moveCheckpoints(
  { client }: ConsumerTransaction,
  places: readonly { readonly partition: number; readonly position: bigint }[],
  { logId, parks }: { logId: string | null; parks: boolean },
): Promise<void> {
  await client.query(
    `update checkpoints c set position = p.position, log_id = coalesce(log_id, $3), parks = parks or $4
     from unnest($1::int[], $2::bigint[]) p(partition, position) where c.partition = p.partition`,
    [places.map(({ partition }) => partition), places.map(({ position }) => position), logId, parks],
  );
}

/** Every partition at one position, in the place of all rows that are there. */
export async function writeEvenLayout(
  client: Pick<pg.ClientBase, 'query'>,
  { partitions, version, position, logId }: Omit<Checkpoint, 'partition' | 'parks'>,
): Promise<void> {
  await client.query('delete from checkpoints');
  await client.query(
    `insert into checkpoints (partition, partitions, version, position, log_id, parks)
     select partition, $1, $2, $3, $4, exists (select from parked_events) from generate_series(0, $1::int - 1) partition`,
    [partitions, version, position, logId],
  );
}
