import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createTestDatabase } from '../tests/support/database.ts';
import { createKafkaClient } from '../src/delivery/kafka/client.ts';
import { createKafkaRelay } from '../src/delivery/kafka/kafkaRelay.ts';
import type { EventStore } from '../src/core/eventStore.ts';
import { createPostgresEventStore } from '../src/eventStore/postgres/postgresEventStore.ts';
import { eventually } from '../tests/support/eventually.ts';
import { percentile, type Benchmark } from './benchmark.ts';

const EVENTS = 100_000;
const PROMISED = 20_000;

/** How fast a relay copies a backlog of likes to Kafka, from its start until the brokers have acknowledged the last like. Needs KAFKA_BROKERS. */
export const relay: Benchmark = {
  name: 'relay',
  async run() {
    const brokers = process.env['KAFKA_BROKERS']?.split(',');
    if (brokers === undefined) {
      console.error('relay is SKIPPED: KAFKA_BROKERS is not set');
      return [];
    }
    const logger = pino({ level: 'warn' });
    await using database = await createTestDatabase();
    await using parts = new AsyncDisposableStack();
    const store = createPostgresEventStore({ pool: database.pool, logger });
    parts.defer(() => store.close());
    const head = await fill(store);

    const kafka = createKafkaClient({ brokers, clientId: 'bench', logger });
    const copy = async (): Promise<number> => {
      const topic = `bench.${randomUUID()}`;
      const copying = createKafkaRelay({ pool: database.pool, store, kafka, topic, partitions: 6, logger });
      const begun = performance.now();
      try {
        await copying.start();
        await eventually(() => copying.state().position >= head, {
          within: 60_000,
          every: 5,
          what: 'the relay has copied everything',
        });
        return EVENTS / ((performance.now() - begun) / 1_000);
      } finally {
        await copying.stop();
        const admin = kafka.admin();
        await admin.connect();
        await admin.deleteTopics({ topics: [topic] }).finally(() => admin.disconnect());
      }
    };
    const rates: number[] = [];
    while (rates.length < 3) rates.push(await copy());
    const ours = percentile(rates, 0.5);
    return [
      {
        what: 'events relayed to Kafka from a backlog',
        ours,
        theirs: PROMISED,
        unit: '/s',
        peer: 'what we promise',
        atLeast: 1,
      },
    ];
  },
};

async function fill(store: EventStore): Promise<bigint> {
  const [videos, at] = [Array.from({ length: 500 }, () => randomUUID()), new Date().toISOString()];
  for (let done = 0; done < EVENTS; done += 2_000) {
    await store.appendMany(
      Array.from({ length: 2_000 }, (_, index) => {
        const [videoId, userId] = [videos[index % videos.length]!, randomUUID()];
        const event = {
          id: randomUUID(),
          type: 'VideoLiked',
          data: { videoId, userId, ownerId: videoId, at },
          metadata: { correlationId: 'bench', schemaVersion: 1 },
        };
        return { stream: `like-${videoId}_${userId}`, events: [event], expected: 'none' as const };
      }),
    );
  }
  return store.head();
}
