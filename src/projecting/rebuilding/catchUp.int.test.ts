import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  countedViews,
  countingViews,
  evenly,
  manyViews,
  viewed,
  viewsOf,
} from '../../../tests/support/countingViews.ts';
import { histories, interleaved } from '../../../tests/support/histories.ts';
import { createProjectingTest, type ProjectingTest } from '../../../tests/support/projecting.ts';
import { fc } from '../../../tests/support/property.ts';
import { streamSubject } from '../../../projections/streamSubject.ts';
import { EventStoreUnavailable } from '../../core/eventStore.ts';
import { counted } from '../../features/analytics/viewRules/counted.ts';
import { readModelConsumers, type ReelStreamEvent } from '../../features/index.ts';
import { install, readCheckpoints } from '../checkpoints.ts';
import type { Consumer } from '../consumer.ts';
import { catchUp } from './catchUp.ts';
import { rebuild } from './rebuild.ts';
import { writerOf } from './writers.ts';

let t: ProjectingTest;
beforeEach(async () => {
  t = await createProjectingTest();
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
});

const counting = (...options: Parameters<typeof countingViews>): Consumer => ({
  ...countingViews(...options),
  independentBy: streamSubject,
});

/** As the consumer, but the log becomes unavailable whenever `isCut` is true for a batch. */
const cut = (consumer: Consumer, isCut: (stream: string) => boolean): Consumer => ({
  ...consumer,
  async apply(events, transaction) {
    await consumer.apply(events, transaction);
    if (isCut(events[0]!.stream)) throw new EventStoreUnavailable('cut');
  },
});

test('two writers apply every event once, also when only one of them was interrupted', async () => {
  await manyViews(t, 50);
  const consumer = counting();
  const isSecond = (stream: string): boolean => writerOf(consumer, stream, 2) === 1;
  await expect(rebuild(t.of(cut(consumer, isSecond)))).rejects.toThrow('cut');
  const halfway = await readCheckpoints(t.pool, 'counting__next');
  expect(halfway.map(({ position }) => position)).toEqual([50n, 0n]);
  await manyViews(t, 50);
  await rebuild(t.of(consumer));
  expect(await countedViews(t.pool)).toEqual(evenly(20));
  expect(await readCheckpoints(t.pool, 'counting')).toMatchObject([{ partition: 0, partitions: 1, position: 100n }]);
});

test('each writer parks the events that it cannot apply, and the later ones of their streams', async () => {
  for (const video of [0, 1, 2, 3]) await t.append(viewsOf(video), viewed(video), viewed(video, 'bad'), viewed(video));
  await rebuild(t.of(counting({ refuse: (viewer) => viewer === 'bad' })));
  expect(await countedViews(t.pool)).toEqual(evenly(1, 4));
  const { rows } = await t.pool.query('select count(*)::int as parked from counting.parked_events');
  expect(rows).toEqual([{ parked: 8 }]);
  // Afterwards, live delivery knows that these streams are parked.
  const { reached } = await t.run([counting()]);
  await reached('counting', await t.append(viewsOf(1), viewed(1)));
  expect(await countedViews(t.pool)).toEqual(evenly(1, 4));
});

test('what is being written when reading fails is written before the failure is thrown', async () => {
  let written = false;
  const applying = Promise.withResolvers<void>();
  const consumer: Consumer = {
    ...counting(),
    async apply(_events, { client }) {
      applying.resolve();
      await client.query('select pg_sleep(0.1)');
      written = true;
    },
  };
  const event = { ...viewed(1), stream: viewsOf(1), metadata: { correlationId: 'test', schemaVersion: 1 } };
  const events = Array.from({ length: 20_000 }, (_, revision) => ({
    ...event,
    revision,
    id: crypto.randomUUID(),
    position: BigInt(revision + 1),
    time: new Date(0),
  }));
  const store = {
    async *readAll() {
      yield { events, position: 20_000n };
      await applying.promise;
      throw new EventStoreUnavailable('cut');
    },
  };
  await install(t.pool, consumer, consumer.name, { partitions: 2 });
  await expect(catchUp({ ...t.of(consumer), store })).rejects.toThrow('cut');
  expect(written).toBe(true);
});

test('a rebuild of any history that is interrupted again and again makes the rows that live delivery made', async () => {
  const consumers = readModelConsumers({ viewRule: counted });
  await fc.assert(
    fc.asyncProperty(histories().chain(interleaved), fc.array(fc.boolean(), { maxLength: 4 }), async (log, cuts) => {
      await t[Symbol.asyncDispose]();
      t = await createProjectingTest();
      for (const { stream, event } of log) await t.append(stream, event as ReelStreamEvent);
      const { reached, stop } = await t.run(consumers);
      for (const { name } of consumers) await reached(name, await t.store.head());
      await stop();
      for (const consumer of consumers) {
        const live = await t.rows(consumer.name);
        for (const first of cuts)
          await rebuild(t.of(cut(consumer, (stream) => (writerOf(consumer, stream, 2) === 0) === first))).catch(
            (error: unknown) => expect(error).toBeInstanceOf(EventStoreUnavailable),
          );
        await rebuild(t.of(consumer));
        expect({ [consumer.name]: await t.rows(consumer.name) }).toEqual({ [consumer.name]: live });
      }
    }),
    { numRuns: 4, interruptAfterTimeLimit: 40_000 },
  );
});
