import { exclusively, RebuildUnderWay } from '../rebuilding/exclusively.ts';
import { nextSchema } from '../rebuilding/schemas.ts';
import type { ParkedEvent } from './parkedEvents.ts';
import { withParkedStream, type Retried, type RetryOptions } from './parkedStream.ts';
import { rebuildUnderWay } from './refusals.ts';
import { applyParked, removeParked } from './retry.ts';

/**
 * Removes the first parked event of a stream for ever, and applies the later ones as `retryParked` does. `record` writes
 * the decision into the log. It is called under the lock, before the event is removed, and must do nothing when it is
 * called again: when the process dies in between, the same discard finishes the work.
 *
 * A rebuild reads the discarded events before it begins. So nothing is discarded while one runs, and one that was
 * interrupted starts again from the beginning of the log.
 * @param id of the first parked event of its stream
 * @throws DomainError
 */
export async function discardParked(
  options: RetryOptions,
  id: string,
  record: (event: ParkedEvent) => Promise<void>,
): Promise<Retried> {
  const { pool, consumer } = options;
  try {
    return await exclusively(pool, consumer.name, () =>
      withParkedStream(options, id, async (stream) => {
        const [first, ...later] = stream.parked;
        await record(first);
        await stream.transaction.client.query(`drop schema if exists "${nextSchema(consumer.name)}" cascade`);
        await removeParked(stream.transaction, [first]);
        return applyParked(options, stream, later);
      }),
    );
  } catch (error) {
    throw error instanceof RebuildUnderWay ? rebuildUnderWay(consumer) : error;
  }
}
