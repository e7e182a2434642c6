import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RecordedEvent } from '../src/core/event.ts';
import { applyBatches } from '../src/projecting/applyBatch.ts';
import { install } from '../src/projecting/checkpoints.ts';
import { projectionConsumer, type Consumer } from '../src/projecting/consumer.ts';
import { histories, interleave, mulberry32, type StreamHistory } from '../tests/support/history.ts';
import { asIs, createProjectingTest, type ProjectingTest } from '../tests/support/projecting.ts';
import { projections } from '../src/features/index.ts';

let t: ProjectingTest;
beforeAll(async () => {
  t = await createProjectingTest();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

/** Events as a store would have recorded them in this order. */
function record(streams: readonly StreamHistory[], seed: number): RecordedEvent[] {
  const revisions = new Map<string, number>();
  return interleave(streams, seed).map(({ stream, event }, index) => {
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

/** The rows after these events, taken in in batches of these sizes (the last size again and again), each of them `times` times. */
async function rowsAfter(
  consumer: Consumer,
  events: readonly RecordedEvent[],
  sizes: readonly number[],
  times = 1,
): Promise<object> {
  await t.pool.query(`drop schema if exists "${consumer.name}" cascade`);
  await install(t.pool, consumer, consumer.name);
  const options = { pool: t.pool, consumer, schema: consumer.name, logId: () => Promise.resolve('log'), decode: asIs };
  let after = 0n;
  for (let from = 0, batch = 0; from < events.length; batch++) {
    const some = events.slice(from, from + (sizes[batch] ?? sizes.at(-1)!));
    from += some.length;
    const position = some.at(-1)!.position;
    const wanted = some.filter(({ type }) => (consumer.handles as readonly string[]).includes(type));
    for (let time = 0; time < times; time++)
      await applyBatches(options, 1, [{ partition: 0, after, position, events: wanted }]);
    after = position;
  }
  return t.rows(consumer.name);
}

describe.each(projections.map((projection) => [projection.name, projectionConsumer(projection)] as const))(
  'the projection %s',
  (_name, consumer) => {
    test('has the same rows whatever the order between streams, and however the log is cut into batches', async () => {
      await fc.assert(
        fc.asyncProperty(
          histories(),
          fc.integer(),
          fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
          async (streams, seed, sizes) => {
            const oneByOne = await rowsAfter(consumer, record(streams, 0), [1]);
            expect(await rowsAfter(consumer, record(streams, seed), sizes)).toEqual(oneByOne);
            expect(await rowsAfter(consumer, record(streams, seed), [1_000])).toEqual(oneByOne);
          },
        ),
        { numRuns: 4, seed: 7 },
      );
    });

    test('has the same rows when every batch comes twice', async () => {
      const [streams] = fc.sample(histories(), { seed: 3, numRuns: 1 });
      const events = record(streams!, 11);
      const random = mulberry32(5);
      const sizes = events.map(() => 1 + Math.floor(random() * 9));
      expect(await rowsAfter(consumer, events, sizes, 2)).toEqual(await rowsAfter(consumer, events, sizes));
    });
  },
);
