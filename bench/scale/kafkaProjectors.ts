// A process with several members of a consumer group, for `scaleKafka`. A member is what a process with the role `projector` is to
// Kafka: it has a consumer of its own and runs all projections. Uses DATABASE_URL, KAFKA_BROKERS, KAFKA_TOPIC and MEMBERS.
import pino from 'pino';
import { createKafkaClient } from '../../src/delivery/kafka/client.ts';
import { createKafkaSource, type KafkaSource } from '../../src/delivery/kafka/kafkaSource.ts';
import { createPostgresEventStore } from '../../src/eventStore/postgres/postgresEventStore.ts';
import { counted } from '../../src/features/analytics/viewRules/counted.ts';
import { readModelConsumers } from '../../src/features/index.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createSharedProgress } from '../../src/projecting/progress/sharedProgress.ts';
import { createProjector, type Projector } from '../../src/projecting/projector.ts';
import type { MemberReport } from './kafkaGroup.ts';

const { DATABASE_URL = '', KAFKA_BROKERS = '', KAFKA_TOPIC = '', MEMBERS = '1' } = process.env;
const logger = pino({ level: 'warn' });
const pool = createPool({ connectionString: DATABASE_URL, name: 'scale projectors', max: 5 * Number(MEMBERS) + 3 });
const store = createPostgresEventStore({ pool, logger });
const consumers = readModelConsumers({ viewRule: counted });
const progress = createSharedProgress({ pool, projections: consumers, logger });
const members: { source: KafkaSource; projector: Projector }[] = [];

for (let member = 0; member < Number(MEMBERS); member++) {
  const source = createKafkaSource({
    kafka: createKafkaClient({ brokers: KAFKA_BROKERS.split(','), clientId: `scale-${process.pid}-${member}`, logger }),
    topic: KAFKA_TOPIC,
    groupId: `${KAFKA_TOPIC}.projections`,
    pool,
    store,
    logger,
  });
  const projector = createProjector({
    pool,
    store,
    decode: (events) => Promise.resolve([...events]),
    discarded: () => Promise.resolve(new Set()),
    source,
    consumers,
    logger,
    onMoved: progress.moved,
  });
  await projector.start();
  members.push({ source, projector });
}

/** How many members have partitions and run every projection, and the CPU time of the process. */
function report(): MemberReport {
  const running = members.filter(
    ({ source, projector }) =>
      source.state().state === 'consuming' && Object.values(projector.states()).every((state) => state === 'running'),
  );
  const { user, system } = process.cpuUsage();
  return { running: running.length, cpuMs: (user + system) / 1_000 };
}

process.on('message', () => process.send!(report()));
process.once('disconnect', () => {
  void (async () => {
    await Promise.all(members.map(({ projector }) => projector.stop()));
    await Promise.all(members.map(({ source }) => source.close()));
    await progress.close();
    await store.close();
    await pool.end();
  })();
});
