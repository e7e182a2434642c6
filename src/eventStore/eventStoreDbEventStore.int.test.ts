import { startEventStoreDbDouble } from '../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { eventStoreContract } from './eventStoreContract.ts';
import { createEventStoreDbStore } from './eventStoreDbEventStore.ts';

for (const batchAppend of [false, true]) {
  eventStoreContract(`The EventStoreDB event store, against the double, with ${batchAppend ? 'batch' : 'plain'} appends,`, async () => {
    const double = await startEventStoreDbDouble();
    return {
      open: () => Promise.resolve(createEventStoreDbStore({ url: double.url, batchAppend })),
      [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
    };
  });
}
