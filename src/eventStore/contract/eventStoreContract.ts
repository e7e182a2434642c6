import { afterAll, beforeAll, describe } from '@jest/globals';
import { appendingContract } from './appending.ts';
import { hashingContract } from './hashing.ts';
import { readingContract } from './reading.ts';
import { subscribingContract } from './subscribing.ts';
import type { StoresUnderTest } from './support.ts';
import type { EventStore } from '../../core/eventStore.ts';

export { all, follow, someEvent, someEvents, someStream, type Following } from './support.ts';

/** A log for the tests. Others may write to it at the same time. */
export interface LogUnderTest extends AsyncDisposable {
  /** Opens a store on the log, as another process would. The suite closes it. */
  open(): Promise<EventStore>;
}

/** The tests that every adapter of the port `EventStore` must pass. The log may hold other events too. */
export function eventStoreContract(name: string, makeLog: () => Promise<LogUnderTest>): void {
  describe(`${name} keeps the contract of an event store`, () => {
    let log: LogUnderTest;
    let stores: StoresUnderTest;

    beforeAll(async () => {
      log = await makeLog();
      stores = { store: await log.open(), other: await log.open(), open: () => log.open() };
    });

    afterAll(async () => {
      await Promise.all([stores?.store.close(), stores?.other.close()]);
      await log?.[Symbol.asyncDispose]();
    });

    appendingContract(() => stores);
    hashingContract(() => stores);
    readingContract(() => stores);
    subscribingContract(() => stores);
  });
}
