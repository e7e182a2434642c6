import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Kafka, Producer } from 'kafkajs';
import type pg from 'pg';
import type { Logger } from 'pino';
import { pause } from '../../core/abortable.ts';
import type { EventBatch, EventStore } from '../../core/eventStore.ts';
import { createLogId } from '../../core/logId.ts';
import { StartError } from '../../core/startError.ts';
import { withTimeout } from '../../core/withTimeout.ts';
import { noTracing, type Tracing } from '../../telemetry/tracing.ts';
import { messagingAttributes } from './messagingAttributes.ts';
import type { PartitionMessage } from './record.ts';
import { prepareTopic } from './topic.ts';
import { takeLease, type Lease } from './lease.ts';
import { createPartitionChain, inRequests, type PartitionChain } from './partitionChain.ts';
import { leaseName, saveCheckpoint } from './relayCheckpoint.ts';

/**
 * While events flow, watermarks are sent and the checkpoint is saved this often; and once more after the last event.
 */
const ROUND_MS = 50;
const RETRY_MS = 1_000;
/** Pause after a page of fewer than `FEW` events, so that the next page holds more. */
const GATHER_MS = 10;
const FEW = 100;
/**
 * Longest wait for a broker at a stop. If the broker still accepts the last request, its records are repeated later.
 */
const STOP_MS = 5_000;
/** For how long a start tries to check the topic before it goes on without the check. */
const START_MS = 3_000;
const ALL_REPLICAS = -1;

export interface KafkaRelayOptions {
  readonly pool: pg.Pool;
  /** Gives encoded events: personal data stays sealed in Kafka. */
  readonly store: Pick<EventStore, 'subscribe' | 'logId' | 'head'>;
  readonly kafka: Kafka;
  readonly topic: string;
  /** Number of partitions, if the topic must be created. */
  readonly partitions: number;
  readonly logger: Logger;
  readonly tracing?: Tracing;
  /** Milliseconds after which another relay may take over from one that has stopped; 5 000 by default. */
  readonly leaseMs?: number;
}

export interface RelayState {
  /**
   * `starting`: has not requested the lease yet. `standby`: another relay holds the lease. `away`: Kafka or the store
   * cannot be reached; the relay tries again. `refused`: the topic belongs to another log, see `reason`.
   */
  readonly state: 'starting' | 'standby' | 'active' | 'away' | 'refused';
  /** The brokers have acknowledged everything up to here. Only the active relay knows it. */
  readonly position: bigint;
  readonly reason?: string;
}

/**
 * Copies the event log to a Kafka topic, in order. Any number may run: the one that holds the lease copies, the others
 * stand by. The checkpoint is saved after the brokers' acknowledgement. So a relay that stops at any moment causes at
 * most repeated records, which readers recognise by their positions.
 */
export interface KafkaRelay {
  /**
   * Starts, and from then on recovers from outages by itself. @throws StartError when the topic belongs to another log.
   */
  start(): Promise<void>;
  state(): RelayState;
  stop(): Promise<void>;
}

export function createKafkaRelay(options: KafkaRelayOptions): KafkaRelay {
  const { pool, store, kafka, topic, logger, tracing = noTracing } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const logId = createLogId(store);
  const holder = `${hostname()} ${process.pid} ${randomUUID().slice(0, 8)}`;
  let state: RelayState = { state: 'starting', position: 0n };
  let running: Promise<void> = Promise.resolve();

  const ownLog = async () => ({ id: await logId(), head: await store.head() });

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        const onTaken = (): void => void (state = { state: 'standby', position: state.position });
        await using lease = await takeLease(
          { pool, name: leaseName(topic), holder, logger, lastsMs: options.leaseMs, onTaken },
          signal,
        );
        await relayUnder(lease);
        state = { state: 'standby', position: state.position };
      } catch (error) {
        if (signal.aborted) return;
        const before = state.reason;
        state = { ...state, state: error instanceof StartError ? 'refused' : 'away', reason: (error as Error).message };
        if (state.reason !== before)
          logger.warn({ topic, reason: state.reason }, 'the relay stopped; it tries again from its checkpoint');
      }
      await pause(RETRY_MS, signal);
    }
  }

  async function relayUnder(lease: Lease): Promise<void> {
    const checkpoint = await prepareTopic({ ...options, ownLog, inCharge: true });
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 3, maxRetryTime: 1_000 },
      // Each message carries its partition.
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
    });
    const reading = new AbortController();
    try {
      await producer.connect();
      lease.signal.throwIfAborted();
      state = { state: 'active', position: checkpoint.position };
      logger.info(
        { topic, position: String(checkpoint.position), epoch: String(lease.epoch) },
        'this relay is the active one',
      );
      const batches = store.subscribe({
        after: checkpoint.position,
        signal: AbortSignal.any([lease.signal, reading.signal]),
      });
      await copy(batches, checkpoint, producer, lease);
    } finally {
      reading.abort();
      await producer.disconnect();
    }
  }

  async function copy(
    batches: AsyncIterable<EventBatch>,
    checkpoint: { position: bigint; lastPositions: readonly bigint[] },
    producer: Producer,
    lease: Lease,
  ): Promise<void> {
    const reader = batches[Symbol.asyncIterator]();
    let chain: PartitionChain | undefined;
    let next = reader.next();
    let saved = checkpoint.position;
    let lastRound = -Infinity;
    while (!lease.signal.aborted) {
      const unfinished = chain !== undefined && (chain.uneven || chain.position > saved);
      const read = await withTimeout(
        next,
        unfinished ? lastRound + ROUND_MS - performance.now() : Infinity,
        () => undefined,
      );
      if (read?.done === true) return;
      const id = await logId();
      if (id === null) throw new Error('the log has events, but its first event cannot be read');
      chain ??= createPartitionChain(checkpoint, id);
      const messages: PartitionMessage[] = [];
      if (read !== undefined) {
        // The next page is read while this one is sent.
        next =
          read.value.events.length < FEW ? pause(GATHER_MS, lease.signal).then(() => reader.next()) : reader.next();
        next.catch(() => undefined);
        messages.push(...chain.events(read.value.events, read.value.position));
      }
      const round = performance.now() - lastRound >= ROUND_MS;
      if (round) {
        messages.push(...chain.watermarks());
        lastRound = performance.now();
      }
      await send(producer, messages, lease);
      const { position, lastPositions } = chain;
      state = { state: 'active', position };
      if (!round) continue;
      if (!(await saveCheckpoint(pool, topic, lease.epoch, { logId: id, position, lastPositions })))
        throw new Error('another relay has taken over');
      saved = position;
    }
  }

  async function send(producer: Producer, messages: readonly PartitionMessage[], lease: Lease): Promise<void> {
    for (const request of inRequests(messages)) {
      lease.signal.throwIfAborted();
      // Awaited to its end, which the client's time limits bound. An abandoned request would keep its connection open.
      await tracing.continued(
        `send ${topic}`,
        { kind: 'producer', attributes: messagingAttributes(topic, 'send', request.length) },
        () => request.map(({ headers }) => headers?.['traceparent']?.toString()),
        () => producer.send({ topic, acks: ALL_REPLICAS, messages: request }),
      );
    }
  }

  return {
    async start() {
      const began = performance.now();
      const reached = async (): Promise<boolean> => {
        try {
          await prepareTopic({ ...options, ownLog, inCharge: false });
          return true;
        } catch (error) {
          if (error instanceof StartError) throw error;
          logger.warn({ reason: (error as Error).message }, 'Kafka cannot be reached yet; the relay tries again');
          return false;
        }
      };
      // A wrong topic must end the start, so one failed check is not enough to go on without it.
      while (!(await reached()) && performance.now() - began < START_MS) await pause(RETRY_MS, signal);
      running = run();
    },
    state: () => state,
    async stop() {
      stopping.abort(new Error('the relay is stopping'));
      await withTimeout(running, STOP_MS, () => undefined);
    },
  };
}
