import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RecordedEvent } from '../src/core/event.ts';
import { projections } from '../src/features/index.ts';
import { applyBatches } from '../src/projecting/applyBatch.ts';
import { install } from '../src/projecting/checkpoints.ts';
import { projectionConsumer, type Consumer } from '../src/projecting/consumer.ts';
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
      time: new Date(0),
      metadata,
    };
  });
}

/** The rows after these events, applied in batches of these sizes (the last size repeats), each batch `times` times. */
async function rowsAfter(
  consumer: Consumer,
  log: readonly LoggedEvent[],
  sizes: readonly number[],
  times = 1,
): Promise<object> {
  await t.pool.query(`drop schema if exists "${consumer.name}" cascade`);
  await install(t.pool, consumer, consumer.name);
  const options = { ...t.of(consumer), logId: () => Promise.resolve('log') };
  const events = record(log);
  let after = 0n;
  for (let from = 0, batch = 0; from < events.length; batch++) {
    const some = events.slice(from, from + (sizes[batch] ?? sizes.at(-1)!));
    from += some.length;
    const position = some.at(-1)!.position;
    const wanted = some.filter(({ type }) => consumer.handles.includes(type));
    for (let time = 0; time < times; time++)
      await applyBatches(options, 1, [{ partition: 0, after, position, events: wanted }]);
    after = position;
  }
  return t.rows(consumer.name);
}

/** A log in any order between streams, and how it is cut into batches. */
const cases = fc.record({
  log: histories().chain(interleaved),
  sizes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
});

/** The same events, one stream after the other. */
function streamByStream(log: readonly LoggedEvent[]): LoggedEvent[] {
  return [...Map.groupBy(log, ({ stream }) => stream).values()].flat();
}

/** A failure is shrunk only as long as it can be reported within the time of a test (60 s). */
const limits = { interruptAfterTimeLimit: 40_000 };

describe.each(projections.map((projection) => [projection.name, projectionConsumer(projection)] as const))(
  'the projection %s',
  (_name, consumer) => {
    test('has the same rows whatever the order between streams, and however the log is cut into batches', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ log, sizes }) => {
          const oneByOne = await rowsAfter(consumer, streamByStream(log), [1]);
          expect(await rowsAfter(consumer, log, sizes)).toEqual(oneByOne);
          expect(await rowsAfter(consumer, log, [Infinity])).toEqual(oneByOne);
        }),
        { ...limits, numRuns: 4 },
      );
    });

    test('has the same rows when every batch comes twice', async () => {
      await fc.assert(
        fc.asyncProperty(cases, async ({ log, sizes }) => {
          expect(await rowsAfter(consumer, log, sizes, 2)).toEqual(await rowsAfter(consumer, log, sizes));
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
