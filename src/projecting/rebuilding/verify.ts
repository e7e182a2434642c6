import type { EventStore } from '../../core/eventStore.ts';
import { applyEvents, type ApplyOptions } from '../applyBatch.ts';
import { catchUp } from './catchUp.ts';
import { bookkeepingTables, install, readCheckpoints } from '../checkpoints.ts';
import type { ConsumerTransaction } from '../consumer.ts';
import { partitionOf } from '../../core/partitions.ts';
import { withDiscardedRead } from '../parking/discarded.ts';
import { inTransaction } from '../transaction.ts';

/** How many differing keys are reported for each table. */
const MOST_KEYS = 20;

export interface TableDrift {
  readonly table: string;
  /** How many rows differ, are missing or are unexpected. */
  readonly rows: number;
  /** The primary keys of the first of them, as JSON. */
  readonly keys: readonly { readonly key: unknown; readonly found: 'differs' | 'missing' | 'unexpected' }[];
}

export interface Verification {
  readonly projection: string;
  /** The position of the live tables that were compared. */
  readonly position: bigint;
  readonly rows: number;
  /** Empty when the live rows equal a replay of the log. */
  readonly drift: readonly TableDrift[];
}

export interface VerifyOptions extends Omit<ApplyOptions, 'isolateAfter'> {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly signal?: AbortSignal;
  onProgress?(progress: { position: bigint; until: bigint }): void;
}

/**
 * Replays the log into a scratch schema and compares it, row by row, with the live tables as they were at one moment.
 * Live delivery continues meanwhile: the comparison reads a snapshot.
 */
export async function verify(given: VerifyOptions): Promise<Verification> {
  for (;;) {
    const options = await withDiscardedRead(given);
    const found = await verifyOnce(options);
    const [before, after] = await Promise.all([options, given].map((from) => from.discarded(given.consumer.name)));
    // An event that was discarded meanwhile may be in the replay, but not in the live rows.
    if (after!.size === before!.size) return found;
  }
}

async function verifyOnce(options: VerifyOptions): Promise<Verification> {
  const { pool, consumer, store } = options;
  const live = consumer.name;
  const scratch = `${live}__verify_${process.pid}_${Date.now().toString(36)}`;
  try {
    await install(pool, consumer, scratch);
    const until = least(await readCheckpoints(pool, live));
    const onBatch = ({ position }: { position: bigint }): void => options.onProgress?.({ position, until });
    const after = await catchUp({ ...options, schema: scratch, after: 0n, until, onBatch });

    return await inTransaction(pool, { schema: scratch, isolation: 'repeatable read' }, async (transaction) => {
      const checkpoints = await readCheckpoints(transaction.client, live);
      const position = checkpoints.reduce(
        (most, checkpoint) => (checkpoint.position > most ? checkpoint.position : most),
        0n,
      );
      for await (const { events } of store.readAll({
        after,
        until: position,
        types: consumer.handles,
        signal: options.signal,
      })) {
        const taken = events.filter(
          (event) => event.position <= checkpoints[partitionOf(event.stream, checkpoints.length)]!.position,
        );
        await applyEvents({ ...options, isolateAfter: 1 }, taken, true, transaction);
      }
      return { projection: live, position, ...(await compare(transaction, live, scratch)) };
    });
  } finally {
    await pool.query(`drop schema if exists "${scratch}" cascade`).catch(() => undefined);
  }
}

const least = (checkpoints: readonly { position: bigint }[]): bigint =>
  checkpoints.reduce((fewest, { position }) => (position < fewest ? position : fewest), checkpoints[0]?.position ?? 0n);

async function compare(
  { client }: ConsumerTransaction,
  live: string,
  scratch: string,
): Promise<{ rows: number; drift: TableDrift[] }> {
  const { rows: tables } = await client.query<{ name: string; key: string[] }>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as key
     from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
       join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
     where c.relnamespace = to_regnamespace($1) and not c.relname = any($2) group by 1 order by 1`,
    [`"${scratch}"`, bookkeepingTables],
  );
  let rows = 0;
  const drift: TableDrift[] = [];
  for (const { name, key } of tables) {
    const columns = key.map((column) => `"${column}"`).join(', ');
    const { rows: found } = await client.query<{ total: bigint; differing: bigint; keys: TableDrift['keys'] | null }>(
      `with compared as (
         select json_build_object(${key.map((column) => `'${column}', "${column}"`).join(', ')}) as key, l is distinct from s as differs,
           case when l is null then 'missing' when s is null then 'unexpected' else 'differs' end as found
         from "${live}"."${name}" l full join "${scratch}"."${name}" s using (${columns}))
       select count(*) as total, count(*) filter (where differs) as differing,
         (select json_agg(json_build_object('key', key, 'found', found)) from (select * from compared where differs limit ${MOST_KEYS}) first) as keys
       from compared`,
    );
    const { total, differing, keys } = found[0]!;
    rows += Number(total);
    if (differing > 0n) drift.push({ table: name, rows: Number(differing), keys: keys ?? [] });
  }
  return { rows, drift };
}
