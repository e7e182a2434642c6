// A relay as a process of its own, for `scaleKafka`. Uses DATABASE_URL, KAFKA_BROKERS, KAFKA_TOPIC and KAFKA_PARTITIONS.
import pino from 'pino';
import { createKafkaClient } from '../../src/delivery/kafka/client.ts';
import { createKafkaRelay } from '../../src/delivery/kafka/kafkaRelay.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { createPool } from '../../src/postgres/pool.ts';
import type { MemberReport } from './kafkaGroup.ts';

const { DATABASE_URL = '', KAFKA_BROKERS = '', KAFKA_TOPIC = '', KAFKA_PARTITIONS = '1' } = process.env;
const logger = pino({ level: 'error' });
const pool = createPool({ connectionString: DATABASE_URL, name: 'scale relay', max: 4 });
const store = createPostgresEventStore({ pool, logger });
const kafka = createKafkaClient({ brokers: KAFKA_BROKERS.split(','), clientId: 'scale-relay', logger });
const partitions = Number(KAFKA_PARTITIONS);
const relay = createKafkaRelay({ pool, store, kafka, topic: KAFKA_TOPIC, partitions, logger });
await relay.start();

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const report: MemberReport = { running: relay.state().state === 'active' ? 1 : 0, cpuMs: (user + system) / 1_000 };
  process.send!(report);
});
process.once('disconnect', () => {
  void (async () => {
    await relay.stop();
    await store.close();
    await pool.end();
  })();
});
