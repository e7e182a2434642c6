import type { Kafka } from 'kafkajs';
import type pg from 'pg';
import type { KafkaConfig } from '../config/config.ts';
import type { EventSource } from '../delivery/eventSource.ts';
import { createKafkaClient } from '../delivery/kafka/client.ts';
import { createKafkaRelay } from '../delivery/kafka/kafkaRelay.ts';
import { createKafkaSource } from '../delivery/kafka/kafkaSource.ts';
import type { HealthCheck } from '../http/server/health.ts';
import { openPool } from './eventLog.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

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
  const source = createKafkaSource({
    kafka: clientOf(kafka, running),
    topic,
    groupId: `${topic}.${group}`,
    pool,
    store: rawStore,
    logger: running.logger,
    tracing: running.tracing,
  });
  return { source, checks: [checkOf(`kafka ${group}`, () => source.state(), ['away', 'refused'])] };
}

/** Copies the log to Kafka while no other relay does. Returns its health check. */
export async function startKafkaRelay(running: Process, services: Services, kafka: KafkaConfig): Promise<HealthCheck> {
  const { logger, tracing, parts } = running;
  const relay = createKafkaRelay({
    ...kafka,
    kafka: clientOf(kafka, running),
    pool: openPool(running, services, 'relay', 4, RELAY_QUERY_TIMEOUT_MS),
    store: services.rawStore,
    logger,
    tracing,
  });
  parts.defer(() => relay.stop());
  await relay.start();
  return checkOf('kafka relay', () => relay.state(), ['away', 'refused']);
}

function clientOf({ brokers }: KafkaConfig, { config, logger }: Process): Kafka {
  return createKafkaClient({ brokers, clientId: `reelstream-${config.role}`, logger });
}

interface PartState {
  readonly state: string;
  readonly reason?: string;
  readonly position?: bigint;
}

/** A health check that reports the state of a part. The part is down in the `bad` states. */
function checkOf<State extends PartState>(
  name: string,
  stateOf: () => State,
  bad: readonly State['state'][],
): HealthCheck {
  return {
    name,
    required: false,
    async check() {
      const { state, reason, position } = stateOf();
      if (bad.includes(state)) throw new Error(reason ?? state);
      return { state, ...(position !== undefined && { position: String(position) }) };
    },
  };
}
