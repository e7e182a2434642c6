import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import type pg from 'pg';
import type { Logger } from 'pino';
import { StartError } from '../../core/startError.ts';
import { withTimeout } from '../../core/withTimeout.ts';
import { logIdOf } from './record.ts';
import { createCheckpoint, readCheckpoint, resetCheckpoint, type RelayCheckpoint } from './relayCheckpoint.ts';

/** Time limit for reading the last records of a topic. */
const READ_LAST_MS = 20_000;

export interface TopicOptions {
  readonly kafka: Kafka;
  readonly pool: pg.Pool;
  readonly topic: string;
  /** For a topic that must be created. A topic that exists keeps its number of partitions. */
  readonly partitions: number;
  readonly logger: Logger;
}

export interface PrepareOptions extends TopicOptions {
  /** Identifies the log to be copied, and says how far it reaches now. */
  readonly ownLog: () => Promise<{ readonly id: string | null; readonly head: bigint }>;
  /** Whether the caller holds the relay's lease. Only then is the checkpoint reset when the topic has been emptied. */
  readonly inCharge: boolean;
}

/**
 * Creates the topic when it does not exist, and answers how far it has been filled. The topic is a copy of the log, so
 * Kafka never deletes its records.
 *
 * Another relay may be writing meanwhile. So the order of the reads matters: first the checkpoint, then the topic, then
 * the log. Each is at least as far as the one before.
 * @throws StartError when the topic holds events of another log, or more events than this log.
 */
export async function prepareTopic({
  kafka,
  pool,
  topic,
  partitions: wanted,
  logger,
  ownLog,
  inCharge,
}: PrepareOptions): Promise<RelayCheckpoint> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    if (!(await admin.listTopics()).includes(topic)) await createTopic(admin, topic, wanted);
    const checkpoint = await readCheckpoint(pool, topic);
    const offsets = (await admin.fetchTopicOffsets(topic)).toSorted((a, b) => a.partition - b.partition);
    const partitions = offsets.length;
    const filled = offsets.filter(({ high, low }) => BigInt(high) > BigInt(low));
    const untouched = offsets.every(({ high }) => high === '0');

    if (checkpoint === undefined) {
      const found = filled.length === 0 ? [] : await lastLogIds(kafka, topic, filled);
      const { id } = await ownLog();
      if (found.some((logId) => logId === undefined || logId !== id)) throw anotherLog(topic);
      return await createCheckpoint(pool, topic, { logId: id, partitions });
    }
    const ours = await ownLog();
    if (checkpoint.logId !== null && checkpoint.logId !== ours.id) throw anotherLog(topic);
    if (checkpoint.position > ours.head) {
      throw new StartError(
        `The topic "${topic}" was filled up to position ${checkpoint.position}, but the event log ends at ${ours.head}: the log has lost events, or it is another log. ` +
          'Restore the log, or set KAFKA_TOPIC to a new name.',
      );
    }
    if (untouched && (checkpoint.position > 0n || checkpoint.partitions !== partitions)) {
      if (!inCharge) return checkpoint;
      logger.warn({ topic }, 'the topic has been emptied; it is filled again from the beginning of the log');
      return await resetCheckpoint(pool, topic, { logId: ours.id, partitions });
    }
    if (checkpoint.partitions !== partitions) {
      throw new StartError(
        `The topic "${topic}" has ${partitions} partitions, but its events were spread over ${checkpoint.partitions}, and a stream must stay where it is. ` +
          'Set KAFKA_TOPIC to a new name; it will be filled from the log.',
      );
    }
    return checkpoint;
  } finally {
    await admin.disconnect();
  }
}

async function createTopic(admin: Admin, topic: string, numPartitions: number): Promise<void> {
  // An answer of false means that another process has created it.
  await admin.createTopics({
    topics: [{ topic, numPartitions, configEntries: [{ name: 'retention.ms', value: '-1' }] }],
    waitForLeaders: true,
  });
}

function anotherLog(topic: string): StartError {
  return new StartError(
    `The topic "${topic}" holds events of another event log. Set KAFKA_TOPIC to a new name, or point EVENTSTORE_URL and DATABASE_URL at the log that filled it.`,
  );
}

/**
 * For each of these partitions, the log that its last record belongs to; undefined for a record that no relay wrote.
 */
async function lastLogIds(
  kafka: Kafka,
  topic: string,
  offsets: readonly { partition: number; high: string }[],
): Promise<(string | undefined)[]> {
  const groupId = `reelstream.check.${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false });
  const found = new Map<number, string | undefined>();
  const all = Promise.withResolvers<void>();
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message }) => {
        if (!found.has(partition)) found.set(partition, logIdOf(message));
        if (offsets.every((each) => found.has(each.partition))) all.resolve();
        return Promise.resolve();
      },
    });
    for (const { partition, high } of offsets) consumer.seek({ topic, partition, offset: String(BigInt(high) - 1n) });
    await withTimeout(all.promise, READ_LAST_MS, () => {
      throw new Error(`the last records of the topic ${topic} could not be read within ${READ_LAST_MS} ms`);
    });
  } finally {
    await consumer.disconnect();
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  }
  return [...found.values()];
}
