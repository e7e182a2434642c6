import type { RecordedEvent } from '../../src/core/event.ts';
import { partitionOf } from '../../src/core/partitions.ts';
import { applyBatches } from '../../src/projecting/applyBatch.ts';
import { install, writeEvenLayout } from '../../src/projecting/checkpoints.ts';
import { catchUp } from '../../src/projecting/rebuilding/catchUp.ts';
import { writersOf } from '../../src/projecting/rebuilding/writers.ts';
import type { Consumer } from '../../src/projecting/consumer.ts';
import { inTransaction } from '../../src/projecting/transaction.ts';
import type { LoggedEvent } from './histories.ts';
import type { ProjectingTest } from './projecting.ts';

/** Events as a store would have recorded them in this order. `times` (ms) has the time of each, if it matters. */
export function record(log: readonly LoggedEvent[], times?: readonly number[]): RecordedEvent[] {
  const revisions = new Map<string, number>();
  return log.map(({ stream, event }, index) => {
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    const metadata = { correlationId: 'test', schemaVersion: 1 };
    return {
      ...event,
      stream,
      revision,
      id: crypto.randomUUID(),
      position: BigInt(index + 1),
      time: new Date(times?.[index] ?? 1_700_000_000_000 + index * 40),
      metadata,
    };
  });
}

/** How events come to a consumer: cut into batches of these sizes (the last size repeats), each batch `times` times. */
export interface Delivery {
  readonly sizes: readonly number[];
  readonly times?: number;
  /** One partition after the other, as Kafka may deliver them. */
  readonly partitions?: number;
}

/** Creates the consumer's tables anew and delivers the events to them. */
export async function deliver(
  t: ProjectingTest,
  consumer: Consumer,
  events: readonly RecordedEvent[],
  { sizes, times = 1, partitions = 1 }: Delivery,
): Promise<void> {
  const { name, version, variant } = consumer;
  await t.pool.query(`drop schema if exists "${name}" cascade`);
  await install(t.pool, consumer, name);
  await inTransaction(t.pool, { schema: name }, ({ client }) =>
    writeEvenLayout(client, { partitions, version, variant, position: 0n, logId: null }),
  );
  const options = { ...t.of(consumer), logId: () => Promise.resolve('log') };
  for (let partition = 0; partition < partitions; partition++) {
    const own = events.filter(({ stream }) => partitionOf(stream, partitions) === partition);
    let after = 0n;
    for (let from = 0, batch = 0; from < own.length; batch++) {
      const some = own.slice(from, from + (sizes[batch] ?? sizes.at(-1)!));
      from += some.length;
      const position = some.at(-1)!.position;
      const wanted = some.filter(({ type }) => consumer.handles.includes(type));
      for (let time = 0; time < times; time++)
        await applyBatches(options, partitions, [{ partition, after, position, events: wanted }]);
      after = position;
    }
  }
}

/** Creates the consumer's tables anew and fills them as a rebuild does: pages of these sizes, and so many rows gathered before they are written. */
export async function gather(
  t: ProjectingTest,
  consumer: Consumer,
  events: readonly RecordedEvent[],
  { sizes, rowsAtOnce }: { sizes: readonly number[]; rowsAtOnce: number },
): Promise<void> {
  const { name: schema, handles } = consumer;
  await t.pool.query(`drop schema if exists "${schema}" cascade`);
  await install(t.pool, consumer, schema, { partitions: writersOf(consumer) });
  const store = {
    async *readAll({ after }: { after: bigint }) {
      const left = events.filter(({ position }) => position > after);
      for (let page = 0; left.length > 0; page++) {
        const some = left.splice(0, sizes[page] ?? sizes.at(-1)!);
        yield await Promise.resolve({
          events: some.filter(({ type }) => handles.includes(type)),
          position: some.at(-1)!.position,
        });
      }
    },
  };
  await catchUp({ ...t.of(consumer), logId: () => Promise.resolve('log'), store, rowsAtOnce });
}
