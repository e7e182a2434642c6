import type pg from 'pg';
import { DomainError } from '../../core/errors.ts';
import type { RecordedEvent } from '../../core/event.ts';
import type { EventStore } from '../../core/eventStore.ts';
import type { ApplyOptions } from '../applyBatch.ts';
import { lockCheckpoints, readCheckpoints, type Checkpoint } from '../checkpoints.ts';
import type { ConsumerTransaction } from '../consumer.ts';
import { describe, isNobodysFault } from './parking.ts';
import { partitionOf } from '../../core/partitions.ts';
import { inTransaction } from '../transaction.ts';

/** An event that a consumer could not take in, or that came after one in the same stream. */
export interface ParkedEvent {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly error: string;
  /** 0 when it only waits behind another. */
  readonly attempts: number;
  readonly parkedAt: Date;
}

const COLUMNS = 'position, stream, revision, id, type, error, attempts, parked_at as "parkedAt"';

/** In the order of the log. */
export async function listParked(
  pool: pg.Pool,
  schema: string,
  { limit = 100 }: { limit?: number } = {},
): Promise<ParkedEvent[]> {
  return (
    await pool.query<ParkedEvent>(`select ${COLUMNS} from "${schema}".parked_events order by position limit $1`, [
      limit,
    ])
  ).rows;
}

export interface RetryOptions extends Omit<ApplyOptions, 'isolateAfter' | 'logId'> {
  readonly store: Pick<EventStore, 'readStream'>;
}

/** Takes in what is parked of a stream, in order, until one fails again. Answers how many are left. */
export async function retryParked(
  { pool, consumer, schema, store, decode }: RetryOptions,
  stream: string,
): Promise<number> {
  return changeParked(pool, schema, stream, async (transaction) => {
    const { client } = transaction;
    const { rows: parked } = await client.query<ParkedEvent>(
      `select ${COLUMNS} from parked_events where stream = $1 order by position`,
      [stream],
    );
    let left = parked.length;
    for await (const event of eventsOf(store, stream, parked)) {
      await client.query('savepoint attempt');
      try {
        await consumer.apply(await decode([event]), transaction);
      } catch (error) {
        if (isNobodysFault(error)) throw error;
        await client.query('rollback to savepoint attempt');
        await client.query('update parked_events set error = $2, attempts = attempts + 1 where position = $1', [
          event.position,
          describe(error),
        ]);
        break;
      }
      await client.query('delete from parked_events where position = $1', [event.position]);
      left--;
    }
    return left;
  });
}

/** Gives an event up for this consumer: it will be as if it had not happened. What is parked behind it waits for a retry. */
export async function discardParked(pool: pg.Pool, schema: string, position: bigint): Promise<void> {
  const { rows } = await pool.query<{ stream: string }>(
    `select stream from "${schema}".parked_events where position = $1`,
    [position],
  );
  if (rows[0] === undefined)
    throw new DomainError('notFound', 'parked_event_not_found', 'No event is parked at that position.');
  await changeParked(pool, schema, rows[0].stream, async ({ client }) => {
    await client.query('delete from parked_events where position = $1', [position]);
  });
}

/** Keeps the stream's partition still meanwhile, so that no later event gets past the parked ones. */
function changeParked<T>(
  pool: pg.Pool,
  schema: string,
  stream: string,
  change: (transaction: ConsumerTransaction) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, { schema }, async (transaction) => {
    const { client } = transaction;
    const [{ partitions, version }] = (await readCheckpoints(client)) as [Checkpoint];
    const partition = partitionOf(stream, partitions);
    await lockCheckpoints(transaction, schema, [partition], { partitions, version });
    const result = await change(transaction);
    await client.query('update checkpoints set parks = exists (select from parked_events) where partition = $1', [
      partition,
    ]);
    return result;
  });
}

async function* eventsOf(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  parked: readonly ParkedEvent[],
): AsyncGenerator<RecordedEvent> {
  if (parked.length === 0) return;
  const revisions = new Set(parked.map(({ revision }) => revision));
  for await (const event of store.readStream(stream, { from: parked[0]!.revision })) {
    if (revisions.delete(event.revision)) yield event;
    if (revisions.size === 0) return;
  }
}
