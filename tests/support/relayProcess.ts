// A relay as a process of its own, for tests that kill it. Uses DATABASE_URL, KAFKA_BROKERS and KAFKA_TOPIC.
import { createKafkaClient } from '../../src/delivery/kafka/client.ts';
import { createKafkaRelay } from '../../src/delivery/kafka/kafkaRelay.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { createPool } from '../../src/postgres/pool.ts';
import pino from 'pino';

const { DATABASE_URL = '', KAFKA_BROKERS = '', KAFKA_TOPIC = '' } = process.env;
const logger = pino({ level: 'silent' });
const pool = createPool({ connectionString: DATABASE_URL, name: 'relay under test', max: 4 });
const store = createPostgresEventStore({ pool, logger });
const kafka = createKafkaClient({ brokers: KAFKA_BROKERS.split(','), clientId: 'relay under test', logger });
await createKafkaRelay({ pool, store, kafka, topic: KAFKA_TOPIC, partitions: 4, logger, leaseMs: 1_000 }).start();
