import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import { EventStoreUnavailable, type EventStore } from '../../core/eventStore.ts';
import { partitionOf } from '../../core/partitions.ts';
import { isOutage } from '../../postgres/outage.ts';
import type { ApplyOptions } from '../applyBatch.ts';
import { isDeclared, lockCheckpoints, readCheckpoints, Superseded } from '../checkpoints.ts';
import type { Consumer, ConsumerTransaction } from '../consumer.ts';
import { inTransaction } from '../transaction.ts';
import { parkedOfStream, type ParkedEvent } from './parkedEvents.ts';
import { isEnvironmental } from './parking.ts';
import { cannotApplyNow, notParked, notTheFirst, otherVersionInPlace } from './refusals.ts';

/** The checkpoints may be replaced while their lock is waited for, once by each rebuild and each change of the layout. */
const MOST_ATTEMPTS = 10;
const AGAIN_AFTER_MS = 50;

export interface RetryOptions extends Pick<ApplyOptions, 'pool' | 'consumer' | 'decode' | 'discarded'> {
  /** Its events are in their stored form. */
  readonly store: Pick<EventStore, 'readStream'>;
  readonly logger: Logger;
}

/** A stream with parked events, which nobody else applies or parks until the transaction ends. */
export interface ParkedStream {
  readonly transaction: ConsumerTransaction;
  readonly stream: string;
  readonly partition: number;
  /** In order. The first one has the id that was asked for. */
  readonly parked: readonly [ParkedEvent, ...ParkedEvent[]];
}

/** What became of the parked events of a stream. */
export interface Retried {
  readonly stream: string;
  /** How many events were applied. */
  readonly applied: number;
  /** The event that failed; it is the first parked event of the stream now. Undefined when none is parked any more. */
  readonly failed: ParkedEvent | undefined;
  /** How many events of the stream are still parked, with the one that failed. */
  readonly parked: number;
}

/**
 * Runs `work` in one transaction that holds the lock of the stream's partition.
 * @param given id of the first parked event of a stream
 * @throws DomainError
 */
export async function withParkedStream(
  { pool, consumer, logger }: RetryOptions,
  given: string,
  work: (stream: ParkedStream) => Promise<Retried>,
): Promise<Retried> {
  const { name } = consumer;
  const id = given.toLowerCase();
  for (let attempt = 1; ; attempt++) {
    try {
      const retried = await inTransaction(pool, { schema: name }, async (transaction) => {
        // The answer promises that it is done, so this commit waits for the disk.
        await transaction.client.query('set local synchronous_commit to on');
        const stream = await streamOf(consumer, id, transaction);
        const partition = await lockPartitionOf(consumer, stream, transaction);
        // Only now: others may have waited for the lock with the same id.
        const [first, ...others] = await parkedOfStream(transaction.client, stream);
        const asked = first?.id === id ? first : others.find((event) => event.id === id);
        if (first === undefined || asked === undefined) throw notParked(consumer, id);
        if (asked !== first) throw notTheFirst(asked);
        return await work({ transaction, stream, partition, parked: [first, ...others] });
      });
      const { stream, applied, parked } = retried;
      logger.info({ consumer: name, stream, applied, parked }, 'parked events were retried');
      return retried;
    } catch (error) {
      if (error instanceof Superseded && attempt < MOST_ATTEMPTS) await pause(AGAIN_AFTER_MS);
      else throw isForThisProcess(error) ? cannotApplyNow(consumer, error) : error;
    }
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Outages have answers of their own. */
function isForThisProcess(error: unknown): error is Error {
  return isEnvironmental(error) && !isOutage(error) && !(error instanceof EventStoreUnavailable);
}

async function streamOf(consumer: Consumer, id: string, { client }: ConsumerTransaction): Promise<string> {
  if (!UUID.test(id)) throw notParked(consumer, id);
  const { rows: found } = await client.query<{ exists: boolean }>(
    `select to_regclass('parked_events') is not null as exists`,
  );
  if (!found[0]!.exists) throw notParked(consumer, id);
  const { rows } = await client.query<{ stream: string }>('select stream from parked_events where id = $1', [id]);
  if (rows.length === 0) throw notParked(consumer, id);
  return rows[0]!.stream;
}

/** Returns the partition. @throws Superseded */
async function lockPartitionOf(consumer: Consumer, stream: string, transaction: ConsumerTransaction): Promise<number> {
  const { name, version, variant } = consumer;
  const checkpoints = await readCheckpoints(transaction.client);
  const other = checkpoints.find((checkpoint) => !isDeclared(checkpoint, consumer));
  if (other !== undefined) throw otherVersionInPlace(consumer, other);
  const partitions = checkpoints.length;
  // A swap replaced the table after it was looked up, and deleted its rows.
  if (partitions === 0) throw new Superseded(name);
  const partition = partitionOf(stream, partitions);
  await lockCheckpoints(transaction.client, name, [partition], { partitions, version, variant });
  return partition;
}
