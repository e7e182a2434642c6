import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RecordedEvent } from '../src/core/event.ts';
import { counted, viewRuleNamed } from '../src/features/analytics/index.ts';
import { projections, readModelConsumers } from '../src/features/index.ts';
import type { Consumer } from '../src/projecting/consumer.ts';
import { deliver, gather, record, type Delivery } from '../tests/support/deliver.ts';
import { histories, interleaved } from '../tests/support/histories.ts';
import { createProjectingTest, type ProjectingTest } from '../tests/support/projecting.ts';
import { fc } from '../tests/support/property.ts';

let t: ProjectingTest;
beforeAll(async () => {
  t = await createProjectingTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

async function rowsAfter(consumer: Consumer, events: readonly RecordedEvent[], delivery: Delivery): Promise<object> {
  await deliver(t, consumer, events, delivery);
  return t.rows(consumer.name);
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

    test('has the same rows when a rebuild gathers them, however many pages and rows it takes at once', async () => {
      await fc.assert(
        fc.asyncProperty(cases, fc.integer({ min: 1, max: 40 }), async ({ log, sizes }, rowsAtOnce) => {
          const events = record(log);
          const oneByOne = await rowsAfter(consumer, events, streamByStream);
          await gather(t, consumer, events, { sizes, rowsAtOnce });
          expect(await t.rows(consumer.name)).toEqual(oneByOne);
        }),
        { ...limits, numRuns: 8 },
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
