import type { Kafka } from 'kafkajs';
import type pg from 'pg';
import type { KafkaConfig } from '../config/config.ts';
import type { EventSource } from '../delivery/eventSource.ts';
import { withTimeout } from '../core/withTimeout.ts';
import { createKafkaClient } from '../delivery/kafka/client.ts';
import { createKafkaRelay } from '../delivery/kafka/kafkaRelay.ts';
import { createKafkaSource } from '../delivery/kafka/kafkaSource.ts';
import type { HealthCheck } from '../http/server/health.ts';
import { showGroupLag, showRelay } from '../telemetry/kafkaMetrics.ts';
import { openPool } from './eventLog.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/** A broker that hangs must not delay the end of the process. */
const DISCONNECT_MS = 2_000;
/** About as long as a lease lasts. A renewal that takes longer is too late. */
const RELAY_QUERY_TIMEOUT_MS = 5_000;

export interface KafkaSourceOptions {
  readonly kafka: KafkaConfig;
  readonly group: string;
  readonly pool: pg.Pool;
}

/** The events for one group of consumers, and the health check of its connection. */
export function openKafkaSource(
  running: Process,
  { rawStore }: Services,
  { kafka, group, pool }: KafkaSourceOptions,
): { source: EventSource; checks: HealthCheck[] } {
  const { topic } = kafka;
  const client = clientOf(kafka, running);
  const source = createKafkaSource({
    kafka: client,
    topic,
    groupId: `${topic}.${group}`,
    pool,
    store: rawStore,
    logger: running.logger,
    tracing: running.tracing,
  });
  showGroupLag({ metrics: running.metrics, group, lag: () => source.lag() });
  return { source, checks: [checkOf(`kafka ${group}`, () => source.state(), brokerCheck(client, running))] };
}

/** Copies the log to Kafka while no other relay does. Returns its health check. */
export async function startKafkaRelay(running: Process, services: Services, kafka: KafkaConfig): Promise<HealthCheck> {
  const { logger, tracing, parts } = running;
  const client = clientOf(kafka, running);
  const relay = createKafkaRelay({
    ...kafka,
    kafka: client,
    pool: openPool(running, services, 'relay', RELAY_QUERY_TIMEOUT_MS),
    store: services.rawStore,
    logger,
    tracing,
  });
  parts.defer(() => relay.stop());
  await relay.start();
  const { metrics, distance, rawStore } = services;
  const position = (): bigint | undefined => {
    const state = relay.state();
    return state.state === 'active' ? state.position : undefined;
  };
  showRelay({ metrics, store: rawStore, distance, position });
  return checkOf('kafka relay', () => relay.state(), brokerCheck(client, running));
}

function clientOf({ brokers }: KafkaConfig, { config, logger }: Process): Kafka {
  return createKafkaClient({ brokers, clientId: `reelstream-${config.role}`, logger });
}

interface PartState {
  readonly state: string;
  readonly reason?: string;
  readonly position?: bigint;
}

const BAD_STATES: readonly string[] = ['away', 'refused'];

/**
 * A health check that reports the state of a part. The part is down in a bad state, and while no broker answers: an idle part
 * does not notice that its broker hangs.
 */
function checkOf(name: string, stateOf: () => PartState, askBroker: () => Promise<void>): HealthCheck {
  return {
    name,
    required: false,
    async check() {
      const { state, reason, position } = stateOf();
      if (BAD_STATES.includes(state)) throw new Error(reason ?? state);
      await askBroker();
      return { state, ...(position !== undefined && { position: String(position) }) };
    },
  };
}

/** Asks a broker for the list of brokers, over a connection of its own that is kept. */
function brokerCheck(kafka: Kafka, { parts }: Pick<Process, 'parts'>): () => Promise<void> {
  const admin = kafka.admin();
  let connected: Promise<void> | undefined;
  parts.defer(() =>
    withTimeout(
      admin.disconnect().catch(() => undefined),
      DISCONNECT_MS,
      () => undefined,
    ),
  );
  return async () => {
    try {
      await (connected ??= admin.connect());
      await admin.describeCluster();
    } catch (error) {
      // Once connected, the client connects again by itself.
      connected = undefined;
      throw error;
    }
  };
}
