import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { createKafkaClient } from '../../src/delivery/kafka/client.ts';
import { createKafkaRelay, type KafkaRelay, type KafkaRelayOptions } from '../../src/delivery/kafka/kafkaRelay.ts';
import { createKafkaSource, type KafkaSource } from '../../src/delivery/kafka/kafkaSource.ts';
import { discardedEvents } from '../../src/features/operators/index.ts';
import type { Consumer } from '../../src/projecting/consumer.ts';
import { createProgressTracker, type ProgressTracker } from '../../src/projecting/progress/progressTracker.ts';
import { createProjector, type Projector } from '../../src/projecting/projector.ts';
import { eventually } from './eventually.ts';
import { asIs, quiet, type ProjectingTest } from './projecting.ts';

const brokers = process.env['KAFKA_BROKERS']?.split(',');

/** `describe` if KAFKA_BROKERS names a broker. Otherwise the tests are skipped with a message. */
export function describeWithKafka(name: string, body: () => void): void {
  if (brokers === undefined) process.stderr.write(`\nSKIPPED, because KAFKA_BROKERS names no broker: ${name}\n\n`);
  (brokers === undefined ? describe.skip : describe)(name, body);
}

/** A connection to the broker that can be cut. */
export interface Line {
  readonly kafka: Kafka;
  /** Cuts all connections and refuses new ones. */
  cut(): void;
  restore(): void;
}

export function openLine(): Line {
  const sockets = new Set<Socket>();
  let isCut = false;
  const kafka = createKafkaClient({
    brokers: brokers ?? [],
    clientId: 'test',
    logger: quiet,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connect({ host, port }, onConnect);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      if (isCut) setImmediate(() => socket.destroy(new Error('the connection is cut')));
      return socket;
    },
  });
  return {
    kafka,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy(new Error('the connection is cut'));
    },
    restore() {
      isCut = false;
    },
  };
}

export interface KafkaMember {
  readonly projector: Projector;
  readonly source: KafkaSource;
  stop(): Promise<void>;
}

/** A new topic and a new consumer group. */
export interface KafkaTest extends AsyncDisposable {
  readonly topic: string;
  readonly groupId: string;
  readonly line: Line;
  /** The reports of all members. */
  readonly progress: ProgressTracker;
  relay(options?: Partial<KafkaRelayOptions>): Promise<KafkaRelay>;
  /** Adds a member. To Kafka and PostgreSQL it looks like another process of the group. */
  member(consumers: readonly Consumer[]): Promise<KafkaMember>;
  reached(consumer: string, position: bigint, within?: number): Promise<void>;
  /** Waits until every partition is assigned and all members have begun. */
  settled(consumer: string): Promise<void>;
}

export function createKafkaTest(t: ProjectingTest): KafkaTest {
  const topic = `test.${randomUUID()}`;
  const groupId = `test.${randomUUID()}`;
  const line = openLine();
  const progress = createProgressTracker();
  const relays = new Set<KafkaRelay>();
  const members = new Set<KafkaMember>();

  const reached = async (consumer: string, position: bigint, within = 30_000): Promise<void> => {
    if (await progress.waitFor(consumer, position, { timeoutMs: within })) return;
    throw new Error(
      `${consumer} is at ${progress.position(consumer)}, not at ${position}: ${JSON.stringify([...members].map(({ projector }) => projector.states()))}, ` +
        `relays: ${JSON.stringify([...relays].map((relay) => ({ ...relay.state(), position: String(relay.state().position) })))}`,
    );
  };

  return {
    topic,
    groupId,
    line,
    progress,
    reached,
    async relay(options = {}) {
      const relay = createKafkaRelay({
        pool: t.pool,
        store: t.store,
        kafka: line.kafka,
        topic,
        partitions: 4,
        logger: quiet,
        leaseMs: 1_500,
        ...options,
      });
      relays.add(relay);
      await relay.start();
      return relay;
    },
    async member(consumers) {
      const source = createKafkaSource({
        kafka: line.kafka,
        topic,
        groupId,
        pool: t.pool,
        store: t.store,
        logger: quiet,
      });
      const projector = createProjector({
        pool: t.pool,
        store: t.store,
        decode: asIs,
        discarded: discardedEvents(t.store),
        source,
        consumers,
        logger: quiet,
        onMoved: progress.moved,
      });
      const member: KafkaMember = {
        projector,
        source,
        async stop() {
          members.delete(member);
          await projector.stop();
          await source.close();
        },
      };
      members.add(member);
      await projector.start();
      return member;
    },
    async settled(consumer) {
      await eventually(() => [...members].every(({ projector }) => projector.states()[consumer] === 'running'), {
        what: 'all members run',
        within: 30_000,
      });
    },
    [Symbol.asyncDispose]: async () => {
      line.restore();
      await Promise.all([...members].map((member) => member.stop()));
      await Promise.all([...relays].map((relay) => relay.stop()));
      const admin = line.kafka.admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
      await admin.deleteGroups([groupId]).catch(() => undefined);
      await admin.disconnect();
    },
  };
}
