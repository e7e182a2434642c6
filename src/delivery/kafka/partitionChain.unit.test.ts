import { describe, expect, test } from '@jest/globals';
import { fc } from '../../../tests/support/property.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { partitionOf } from '../../core/partitions.ts';
import { logIdOf, readRecord, type KafkaRecord } from './record.ts';
import { createPartitionChain, inRequests } from './partitionChain.ts';

const someEvent = (position: number, stream: string): RecordedEvent => ({
  id: `id-${position}`,
  type: 'Tested',
  data: { text: 'ünïcode 🎬', nested: { n: position } },
  metadata: { correlationId: 'c', causationId: 'b', actor: 'a', traceparent: '00-1', schemaVersion: 3 },
  stream,
  revision: position,
  position: BigInt(position),
  time: new Date('2025-01-30T12:00:00.123Z'),
});

type Sent = KafkaRecord & { partition: number };

/** The records as a reader receives them. */
const received = (
  messages: readonly { partition: number; value: Buffer | string | null; headers?: object }[],
): Sent[] =>
  messages.map(({ partition, value, headers }) => ({
    partition,
    ...readRecord({ value: value === null ? null : Buffer.from(value), headers: headers as never }),
  }));

describe('the chain of records in the partitions', () => {
  test('gives back an event as it was', () => {
    const chain = createPartitionChain({ position: 0n, lastPositions: [0n, 0n] }, 'log');
    const event = someEvent(7, 'like-1_2');
    const [message] = chain.events([event], 7n);
    expect(logIdOf({ headers: message!.headers })).toBe('log');
    expect(message!.key).toBe('like-1_2');
    expect(received([message!])).toEqual([
      { partition: partitionOf('like-1_2', 2), position: 7n, previous: 0n, event },
    ]);
  });

  test('spreads streams evenly, in a way that never changes', () => {
    expect(['video-1', 'like-1_2', 'user-ü'].map((stream) => partitionOf(stream, 6))).toEqual([5, 4, 0]);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let n = 0; n < 6_000; n++) counts[partitionOf(`video-${crypto.randomUUID()}`, 6)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });

  test('names in every record the one before it, and brings all partitions to the same position with watermarks', () => {
    const batches = fc.array(
      fc.tuple(fc.array(fc.constantFrom('a-1', 'b-2', 'c-3', 'd-4'), { maxLength: 5 }), fc.boolean()),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(batches, (list) => {
        const chain = createPartitionChain({ position: 0n, lastPositions: [0n, 0n, 0n] }, 'log');
        const sent: Sent[] = [];
        let position = 0;
        for (const [streams, watermarks] of list) {
          const events = streams.map((stream) => someEvent(++position, stream));
          sent.push(...received(chain.events(events, BigInt(position))));
          if (watermarks) sent.push(...received(chain.watermarks()));
        }
        sent.push(...received(chain.watermarks()));
        expect(chain.uneven).toBe(false);
        for (let partition = 0; partition < 3; partition++) {
          const own = sent.filter((record) => record.partition === partition);
          own.forEach((record, index) => expect(record.previous).toBe(own[index - 1]?.position ?? 0n));
          expect(own.at(-1)?.position ?? 0n).toBe(BigInt(position));
        }
        expect(sent.filter(({ event }) => event !== undefined)).toHaveLength(position);
      }),
    );
  });

  test('is divided into requests that a broker accepts, in order', () => {
    const chain = createPartitionChain({ position: 0n, lastPositions: [0n] }, 'log');
    const events = Array.from({ length: 30 }, (_, n) => ({
      ...someEvent(n + 1, 's-1'),
      data: { text: 'x'.repeat(100_000) },
    }));
    const requests = [...inRequests(chain.events(events, 30n))];
    expect(requests.length).toBeGreaterThan(3);
    for (const request of requests)
      expect(request.reduce((sum, { value }) => sum + String(value).length, 0)).toBeLessThan(1_000_000);
    expect(received(requests.flat()).map(({ position }) => position)).toEqual(events.map(({ position }) => position));
  });
});
