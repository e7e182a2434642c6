import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type pg from 'pg';
import type { Logger } from 'pino';
import { abortable, pause } from '../../core/abortable.ts';
import type { EventStore } from '../../core/eventStore.ts';
import { createLogId } from '../../core/logId.ts';
import { withTimeout } from '../../core/withTimeout.ts';
import { noTracing, type Tracing } from '../../telemetry/tracing.ts';
import type { Assignment, EventSource } from '../eventSource.ts';
import { logIdOf, readRecord, type KafkaRecord } from './record.ts';
import { createLatestValue } from './latestValue.ts';
import { createDoneOffsets, type DoneOffsets } from './doneOffsets.ts';
import { createPartitionTail, mostEventsOf, type PartitionTail } from '../partitionTail.ts';
import { messagingAttributes } from './messagingAttributes.ts';
import { readCheckpoint } from './relayCheckpoint.ts';
import { createStorePages, type StorePages } from '../storePages.ts';

const RETRY_MS = 1_000;
const COMMIT_EVERY_MS = 1_000;
const HEARTBEAT_MS = 1_000;
const CHECK_EVERY_MS = 3_000;
/** Pause after a fetch of fewer than `LITTLE` records: a busy topic would otherwise be fetched record by record. */
const GATHER_MS = 25;
const LITTLE = 100;
/** Longest wait for a broker when the source closes. */
const CLOSE_MS = 5_000;
const LEAVE_MS = 3_000;

export interface KafkaSourceOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  /** `<topic>.projections`, `<topic>.media`. */
  readonly groupId: string;
  /** Holds the relay's checkpoint: which log the topic belongs to, and how many partitions it has. */
  readonly pool: pg.Pool;
  /** Gives encoded events. Read for events that the topic does not hold any more, or not yet. */
  readonly store: Pick<EventStore, 'readAll' | 'logId'>;
  readonly logger: Logger;
  readonly tracing?: Tracing;
}

export interface KafkaSourceState {
  readonly state: 'joining' | 'consuming' | 'away' | 'refused';
  readonly reason?: string;
}

/**
 * Events through Kafka: the consumer group divides the partitions of the topic among its processes. Only the consumers'
 * own checkpoints count; the offsets committed to Kafka are a hint where to begin reading. The source recovers from
 * outages by itself.
 */
export interface KafkaSource extends EventSource {
  state(): KafkaSourceState;
  /** Records in the partitions of this process, as of their last fetches, that the consumers are not done with. */
  lag(): number;
}

export function createKafkaSource({
  kafka,
  topic,
  groupId,
  pool,
  store,
  logger,
  tracing = noTracing,
}: KafkaSourceOptions): KafkaSource {
  const closing = new AbortController();
  const { signal } = closing;
  const pages = createStorePages(store);
  const logId = createLogId(store);
  const assigned = createLatestValue<Assignment>();
  let tails: PartitionTail[] = [];
  let mine: readonly number[] = [];
  let state: KafkaSourceState = { state: 'joining' };
  /** Of each partition: the offset of its next record, and of the first that is not done. */
  const ends = new Map<number, { end: bigint; done: bigint }>();
  const running = run();

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await consume();
      } catch (error) {
        if (signal.aborted) break;
        const before = state.reason;
        state = { state: error instanceof ForeignRecord ? 'refused' : 'away', reason: (error as Error).message };
        if (state.reason !== before)
          logger.warn({ groupId, reason: state.reason }, 'not consuming from Kafka; trying again');
      }
      await pause(RETRY_MS, signal);
    }
  }

  async function consume(): Promise<void> {
    const checkpoint = await readCheckpoint(pool, topic);
    if (checkpoint === undefined) throw new Error(`no relay has prepared the topic ${topic} yet`);
    if (tails.length !== checkpoint.partitions) tails = makeTails(checkpoint.partitions, pages);
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: 10_000,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: 1_000,
      allowAutoTopicCreation: false,
      // After a failure `run` makes a new consumer, so that there is one way to begin and not two.
      retry: { retries: 3, maxRetryTime: 1_000, restartOnFailure: () => Promise.resolve(false) },
    });
    const crashed = Promise.withResolvers<never>();
    crashed.promise.catch(() => undefined);
    consumer.on(consumer.events.CRASH, ({ payload }) => crashed.reject(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      state = { state: 'consuming' };
      assign(checkpoint.partitions, payload.memberAssignment[topic] ?? []);
    });
    const offsets = createDoneOffsets();
    const done = new AbortController();
    try {
      await consumer.connect();
      signal.throwIfAborted();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: checkpoint.partitions,
        // kafkajs would try a ForeignRecord again, and then throw another error.
        eachBatch: (payload) =>
          receive(payload, offsets).catch((error: unknown) =>
            error instanceof ForeignRecord ? crashed.reject(error) : Promise.reject(error as Error),
          ),
      });
      void commitRegularly(consumer, offsets, done.signal);
      void checkRegularly(done.signal);
      await abortable(crashed.promise, signal);
    } finally {
      done.abort();
      if (signal.aborted) await commit(consumer, offsets);
      assign(checkpoint.partitions, []);
      // Leaving the group needs a broker. Without one, the other members notice it by the session timeout.
      const leaving = consumer.disconnect().catch(() => undefined);
      await withTimeout(leaving, LEAVE_MS, () => undefined);
    }
  }

  function assign(partitions: number, ours: readonly number[]): void {
    mine = ours.toSorted((a, b) => a - b);
    for (const [partition, tail] of tails.entries()) if (!mine.includes(partition)) tail.forget();
    for (const partition of ends.keys()) if (!mine.includes(partition)) ends.delete(partition);
    assigned.set({ partitions, mine });
  }

  /**
   * Records that the relay wrote an interval ago may not arrive: rows were restored to before the committed offsets, or
   * the client stalls. Readers then get their events from the store.
   */
  async function checkRegularly(until: AbortSignal): Promise<void> {
    let written: readonly bigint[] = [];
    while (!until.aborted) {
      await pause(CHECK_EVERY_MS, until);
      const checkpoint = await readCheckpoint(pool, topic).catch(() => undefined);
      if (until.aborted || checkpoint === undefined) continue;
      for (const partition of mine) {
        const [tail, due] = [tails[partition], written[partition]];
        if (tail !== undefined && due !== undefined && tail.waiting === 0 && (tail.end ?? -1n) < due) tail.startAt(due);
      }
      written = checkpoint.lastPositions;
    }
  }

  async function receive(
    { batch, heartbeat, isRunning, isStale, resolveOffset }: EachBatchPayload,
    offsets: DoneOffsets,
  ): Promise<void> {
    const tail = tails[batch.partition];
    if (tail === undefined) throw new Error(`the topic ${topic} has more partitions than when it was filled`);
    // Half of what the tail keeps, so that fetching stops before the tail drops events.
    const mostWaiting = mostEventsOf(tails.length) / 2;
    const ours = await logId();
    const records = batch.messages.map((message) => {
      if (logIdOf(message) !== ours) throw new ForeignRecord(topic, logIdOf(message));
      return readRecord(message);
    });
    tracing.continued(
      `receive ${topic}`,
      {
        kind: 'client',
        attributes: {
          ...messagingAttributes(topic, 'receive', records.length),
          'messaging.consumer.group.name': groupId,
          'messaging.destination.partition.id': String(batch.partition),
        },
      },
      () => records.map(({ event }) => event?.metadata.traceparent),
      () => pushAll(tail, records),
    );
    resolveOffset(batch.lastOffset());
    const done = ends.get(batch.partition)?.done ?? BigInt(batch.messages[0]?.offset ?? batch.highWatermark);
    ends.set(batch.partition, { end: BigInt(batch.highWatermark), done });
    const position = records.reduce((most, record) => (record.position > most ? record.position : most), 0n);
    offsets.add(batch.partition, { next: BigInt(batch.lastOffset()) + 1n, position });
    await heartbeat();
    // Consumers work on these records meanwhile.
    if (records.length < LITTLE) await pause(GATHER_MS, signal);
    // Not returning stops the fetching. A consumer that lags behind the others reads the store instead.
    while (isRunning() && !isStale() && !signal.aborted && tail.waiting > mostWaiting) {
      await withTimeout(tail.progress(), HEARTBEAT_MS, () => undefined);
      await heartbeat();
    }
  }

  async function commitRegularly(consumer: Consumer, offsets: DoneOffsets, until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      await pause(COMMIT_EVERY_MS, until);
      if (!until.aborted) await commit(consumer, offsets);
    }
  }

  /** A failure does no harm: offsets are a hint, and the next commit follows in a second. */
  async function commit(consumer: Consumer, offsets: DoneOffsets): Promise<void> {
    const done = offsets.takeDone((partition) => tails[partition]?.done);
    for (const { partition, next } of done) ends.set(partition, { end: ends.get(partition)?.end ?? next, done: next });
    const list = done.map(({ partition, next }) => ({ topic, partition, offset: String(next) }));
    if (list.length > 0)
      await consumer
        .commitOffsets(list)
        .catch((error: unknown) => logger.debug({ message: (error as Error).message }, 'offsets were not committed'));
  }

  return {
    assignments: (until) => assigned.values(until),
    open(partition) {
      const tail = tails[partition];
      if (tail === undefined) throw new Error(`the topic ${topic} has no partition ${partition} any more`);
      return tail.open();
    },
    state: () => state,
    lag: () => [...ends.values()].reduce((sum, { end, done }) => sum + Math.max(0, Number(end - done)), 0),
    async close() {
      closing.abort(new Error('the source is closing'));
      await withTimeout(running, CLOSE_MS, () => undefined);
    },
  };
}

/** A record that does not belong to this log. Reading it would mix two histories. */
class ForeignRecord extends Error {
  constructor(topic: string, logId: string | undefined) {
    const whose = logId === undefined ? 'records that no relay wrote' : 'events of another event log';
    super(
      `The topic "${topic}" holds ${whose}: none of it is read. Set KAFKA_TOPIC to a new name, in every process; it will be filled from the log.`,
    );
    this.name = 'ForeignRecord';
  }
}

function makeTails(partitions: number, pages: StorePages): PartitionTail[] {
  return Array.from({ length: partitions }, (_, partition) => createPartitionTail(partition, partitions, pages));
}

/** Pushes records in as few pieces as possible: one for each unbroken chain. */
function pushAll(tail: PartitionTail, records: readonly KafkaRecord[]): void {
  for (let from = 0; from < records.length;) {
    const { previous } = records[from]!;
    let to = from + 1;
    while (to < records.length && records[to]!.previous === records[to - 1]!.position) to++;
    const piece = records.slice(from, to);
    tail.push(
      previous,
      piece.at(-1)!.position,
      piece.flatMap(({ event }) => event ?? []),
    );
    from = to;
  }
}
