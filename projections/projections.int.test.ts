import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RecordedEvent } from '../src/core/event.ts';
import { partitionOf } from '../src/core/partitions.ts';
import { counted, viewRuleNamed } from '../src/features/analytics/index.ts';
import { projections, readModelConsumers } from '../src/features/index.ts';
import { applyBatches } from '../src/projecting/applyBatch.ts';
import { install, writeEvenLayout } from '../src/projecting/checkpoints.ts';
import type { Consumer } from '../src/projecting/consumer.ts';
import { inTransaction } from '../src/projecting/transaction.ts';
import { histories, interleaved, type LoggedEvent } from '../tests/support/histories.ts';
import { createProjectingTest, type ProjectingTest } from '../tests/support/projecting.ts';
import { fc } from '../tests/support/property.ts';

let t: ProjectingTest;
beforeAll(async () => {
  t = await createProjectingTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

/** Events as a store would have recorded them in this order. */
function record(log: readonly LoggedEvent[]): RecordedEvent[] {
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
      time: new Date(1_700_000_000_000 + index * 40),
      metadata,
    };
  });
}

/** How events come to a consumer: cut into batches of these sizes (the last size repeats), each batch `times` times. */
interface Delivery {
  readonly sizes: readonly number[];
  readonly times?: number;
  /** One partition after the other, as Kafka may deliver them. */
  readonly partitions?: number;
}

/** The rows after these events. */
async function rowsAfter(
  consumer: Consumer,
  events: readonly RecordedEvent[],
  { sizes, times = 1, partitions = 1 }: Delivery,
): Promise<object> {
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
  return t.rows(name);
}

/** A log in any order between streams, and how it is cut into batches. */
const cases = fc.record({
  log: histories().chain(interleaved),
  sizes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
});

/** So many partitions that hardly two streams share one. */
const streamByStream = { sizes: [1], partitions: 64 };

/** A failure is shrunk only as long as it can be reported within the time of a test (60 s). */
const limits = { interruptAfterTimeLimit: 40_000 };

/** All projections, and those again whose rows are others under a rule that does not count every view. */
const consumers = [
  ...readModelConsumers({ viewRule: counted }),
  ...readModelConsumers({ viewRule: viewRuleNamed('daily-unique+not-the-owner')! }).filter(
    ({ variant }) => variant !== '',
  ),
];

describe.each(consumers.map((consumer) => [`${consumer.name} ${consumer.variant}`.trim(), consumer] as const))(
  'the projection %s',
  (_name, consumer) => {
    test('has the same rows whatever the order between streams, and however the log is cut into batches', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ log, sizes }) => {
          const events = record(log);
          const oneByOne = await rowsAfter(consumer, events, streamByStream);
          expect(await rowsAfter(consumer, events, { sizes })).toEqual(oneByOne);
          expect(await rowsAfter(consumer, events, { sizes, partitions: 3 })).toEqual(oneByOne);
          expect(await rowsAfter(consumer, events, { sizes: [Infinity] })).toEqual(oneByOne);
        }),
        { ...limits, numRuns: 4 },
      );
    });

    test('has the same rows when every batch comes twice', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ log, sizes }) => {
          const events = record(log);
          expect(await rowsAfter(consumer, events, { sizes, times: 2 })).toEqual(
            await rowsAfter(consumer, events, { sizes }),
          );
        }),
        { ...limits, numRuns: 4 },
      );
    });
  },
);

test('every event type that a projection handles is in the histories that these tests draw', () => {
  const made = new Set(
    fc.sample(histories(), 200).flatMap((streams) => streams.flatMap(({ events }) => events.map(({ type }) => type))),
  );
  const missing = projections.flatMap(({ name, handles }) =>
    handles
      .filter((type) => !made.has(type))
      .map((type) => `No src/features/*/testHistories.ts makes ${type}, which the projection ${name} handles.`),
  );
  expect(missing).toEqual([]);
});
