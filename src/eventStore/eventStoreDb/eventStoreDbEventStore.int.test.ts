import { describe } from '@jest/globals';
import { startEventStoreDbDouble } from '../../../tests/support/eventStoreDbDouble/eventStoreDbDouble.ts';
import { eventStoreContract } from '../contract/eventStoreContract.ts';
import { createEventStoreDbStore } from './eventStoreDbEventStore.ts';

eventStoreContract('The EventStoreDB event store, against the double,', async () => {
  const double = await startEventStoreDbDouble();
  return {
    open: () => Promise.resolve(createEventStoreDbStore({ url: double.url })),
    [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
  };
});

const url = process.env['EVENTSTORE_URL'];
if (url === undefined) {
  process.stderr.write(
    '\nSKIPPED: the EventStoreDB event store was NOT tested against a real server, since EVENTSTORE_URL names none. It was tested against the double.\n\n',
  );
}

(url === undefined ? describe.skip : describe)('Against the server that EVENTSTORE_URL names', () => {
  eventStoreContract('The EventStoreDB event store', () =>
    Promise.resolve({
      open: () => Promise.resolve(createEventStoreDbStore({ url: url! })),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  );
});
