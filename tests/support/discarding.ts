import { randomUUID } from 'node:crypto';
import { discardParked } from '../../src/projecting/parking/discard.ts';
import type { ParkedEvent } from '../../src/projecting/parking/parkedEvents.ts';
import type { Retried, RetryOptions } from '../../src/projecting/parking/parkedStream.ts';
import type { ProjectingTest } from './projecting.ts';

/** Discards the first parked event of a stream, recorded as an operator's discard is. */
export function discard(t: ProjectingTest, options: RetryOptions, id: string): Promise<Retried> {
  return discardParked(options, id, (event) => recordDiscard(t, options.consumer.name, event));
}

export async function recordDiscard(t: ProjectingTest, projection: string, event: ParkedEvent): Promise<void> {
  const { id: eventId, position, stream } = event;
  await t.append(`projection-${projection}`, {
    type: 'ParkedEventDiscarded',
    data: {
      projection,
      position: String(position),
      eventId,
      stream,
      reason: 'It is damaged.',
      by: randomUUID(),
      at: new Date().toISOString(),
    },
  });
}
