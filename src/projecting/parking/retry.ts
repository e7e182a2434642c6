import type { RecordedEvent } from '../../core/event.ts';
import type { ConsumerTransaction } from '../consumer.ts';
import type { ParkedEvent } from './parkedEvents.ts';
import { withParkedStream, type ParkedStream, type Retried, type RetryOptions } from './parkedStream.ts';
import { applyUpToFailure } from './parking.ts';

/** Events that are applied at a time. */
const BATCH = 500;

/**
 * Applies the parked events of a stream in order, from the first one on, until one fails. All of it is one transaction
 * under the lock of the stream's partition: live delivery cannot pass, and afterwards it finds the stream free or parks
 * behind what is left. Any process may do this, also several at once. During a rebuild it changes the live tables; the new
 * ones get the events from the log.
 * @param id of the first parked event of its stream
 * @throws DomainError
 */
export function retryParked(options: RetryOptions, id: string): Promise<Retried> {
  return withParkedStream(options, id, (stream) => applyParked(options, stream, stream.parked));
}

/** Applies these parked events of a stream: all that are left of it. */
export async function applyParked(
  options: RetryOptions,
  { transaction, stream, partition }: Omit<ParkedStream, 'parked'>,
  parked: readonly ParkedEvent[],
): Promise<Retried> {
  const { consumer, decode } = options;
  const { client } = transaction;
  const discarded = await options.discarded(consumer.name);
  const apply = async (events: readonly RecordedEvent[]): Promise<void> =>
    consumer.apply(await decode(events), transaction);
  let applied = 0;
  for (let from = 0; from < parked.length; from += BATCH) {
    const some = parked.slice(from, from + BATCH);
    const wanted = some.filter(({ position }) => !discarded.has(position));
    const { applied: count, error } = await applyUpToFailure(
      apply,
      await readEvents(options, stream, wanted),
      transaction,
    );
    applied += count;
    const failed = error === undefined ? undefined : wanted[count]!;
    const passed = failed === undefined ? some.length : some.indexOf(failed);
    await removeParked(transaction, some.slice(0, passed));
    if (failed === undefined) continue;
    await client.query('update parked_events set error = $2, attempts = attempts + 1 where position = $1', [
      failed.position,
      error,
    ]);
    const attempts = failed.attempts + 1;
    return {
      stream,
      applied,
      failed: { ...failed, error: error!, attempts, waitsFor: null },
      parked: parked.length - from - passed,
    };
  }
  await client.query(
    'update checkpoints set parks = false where partition = $1 and parks and not exists (select from parked_events)',
    [partition],
  );
  return { stream, applied, failed: undefined, parked: 0 };
}

export async function removeParked({ client }: ConsumerTransaction, events: readonly ParkedEvent[]): Promise<void> {
  const positions = events.map(({ position }) => position);
  await client.query('delete from parked_events where position = any($1::bigint[])', [positions]);
}

/** The events from the log. `wanted` is in the order of the stream. */
async function readEvents(
  { store }: RetryOptions,
  stream: string,
  wanted: readonly ParkedEvent[],
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  if (wanted.length === 0) return events;
  for await (const event of store.readStream(stream, { from: wanted[0]!.revision })) {
    if (event.id === wanted[events.length]!.id) events.push(event);
    if (events.length === wanted.length) return events;
  }
  throw new Error(`the log does not have the event ${wanted[events.length]!.id} of the stream ${stream}`);
}
