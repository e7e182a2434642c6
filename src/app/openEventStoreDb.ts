import { abortable } from '../core/abortable.ts';
import { EventStoreUnavailable, type EventStore } from '../core/eventStore.ts';
import { StartError } from '../core/startError.ts';
import { withTimeout } from '../core/withTimeout.ts';
import { EventStoreDenied } from '../eventStore/eventStoreDb/clientErrors.ts';
import { createEventStoreDbStore } from '../eventStore/eventStoreDb/eventStoreDbEventStore.ts';
import { createFailureLog } from '../telemetry/failureLog.ts';
import { onBatchOf, type OpenEventLogOptions } from './eventLog.ts';

/** The longest that a start waits for the server, whose settings may be wrong (ms). */
const CHECK_MS = 5_000;

/** @param options.url `EVENTSTORE_URL` */
export async function openEventStoreDb(options: OpenEventLogOptions & { readonly url: string }): Promise<EventStore> {
  const store = createStore(options);
  options.parts.defer(() => store.close());
  await checkAccess(store, options);
  return store;
}

function createStore({ url, logger, metrics }: OpenEventLogOptions & { readonly url: string }): EventStore {
  try {
    return createEventStoreDbStore({ url, logger, onBatch: onBatchOf(metrics) });
  } catch (error) {
    // The client's message may quote the URL, and so the password in it.
    throw new StartError(
      'EVENTSTORE_URL cannot be used: it must look like esdb://user:password@host:2113?tlsCAFile=/path/to/ca.crt, and files that it names must exist.',
      { cause: error },
    );
  }
}

/**
 * Ends a start whose settings can never work. A server that does not answer does not end it: requests are answered with
 * 503 until it does.
 */
async function checkAccess(store: EventStore, { logger, signal }: OpenEventLogOptions): Promise<void> {
  try {
    const tooLate = (): never => {
      throw new EventStoreUnavailable(`EventStoreDB did not answer within ${CHECK_MS} ms`);
    };
    await abortable(withTimeout(store.head(), CHECK_MS, tooLate), signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof EventStoreDenied) throw new StartError(error.message, { cause: error });
    if (!(error instanceof EventStoreUnavailable)) throw error;
    createFailureLog(logger)(
      error,
      'EventStoreDB does not answer yet; requests that need it are answered with 503 until it does',
    );
  }
}
