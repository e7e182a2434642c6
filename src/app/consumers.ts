import type { Kafka } from 'kafkajs';
import type { LimitFunction } from 'p-limit';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { KafkaConfig, Role } from '../config/config.ts';
import { createDirectSource } from '../delivery/direct/directSource.ts';
import type { EventSource } from '../delivery/eventSource.ts';
import { createKafkaClient } from '../delivery/kafka/client.ts';
import { createKafkaRelay } from '../delivery/kafka/kafkaRelay.ts';
import { createKafkaSource } from '../delivery/kafka/kafkaSource.ts';
import { eventTypes } from '../features/index.ts';
import { discardedEvents } from '../features/operators/index.ts';
import type { HealthCheck } from '../http/server/health.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { decodeFor } from '../projecting/decoding.ts';
import { createProjector } from '../projecting/projector.ts';
import { countParked } from '../projecting/status.ts';
import { showParkedEvents } from '../telemetry/parkedEvents.ts';
import { openPool } from './eventLog.ts';
import type { Process } from './process.ts';
import { consumerChecks } from './projectionHealth.ts';
import type { Services } from './services.ts';

/** Longer than any batch takes. A connection that no longer answers delays a consumer by this time at most. */
const BATCH_TIMEOUT_MS = 60_000;
/** About as long as a lease lasts. A renewal that takes longer is too late. */
const RELAY_QUERY_TIMEOUT_MS = 5_000;

export interface ConsumersOptions {
  readonly groups: Readonly<Record<string, readonly Consumer[]>>;
  /** How many rebuilds run at once. */
  readonly rebuilds: LimitFunction;
}

/**
 * Starts consumers, keyed by the names of their groups. With Kafka, each group reads the log at its own pace. Without
 * it, all consumers of the process share one subscription. Returns their health checks.
 */
export async function startConsumers(
  running: Process,
  services: Services,
  { groups, rebuilds }: ConsumersOptions,
): Promise<HealthCheck[]> {
  const { metrics, pool } = services;
  const names = Object.values(groups)
    .flat()
    .map(({ name }) => name);
  if (names.length > 0) showParkedEvents({ metrics, consumers: names, count: (name) => countParked(pool, name) });
  if (running.config.kafka === undefined) {
    return startGroup(running, services, rebuilds, 'consumers', Object.values(groups).flat());
  }
  const checks: HealthCheck[] = [];
  for (const [group, consumers] of Object.entries(groups)) {
    checks.push(...(await startGroup(running, services, rebuilds, group, consumers)));
  }
  return checks;
}

async function startGroup(
  running: Process,
  services: Services,
  rebuilds: LimitFunction,
  group: string,
  consumers: readonly Consumer[],
): Promise<HealthCheck[]> {
  if (consumers.length === 0) return [];
  const { config, logger, parts } = running;
  const { rawStore, store, codec, progress } = services;
  const pool = openPool(running, services, group, consumers.length + 5, BATCH_TIMEOUT_MS);
  const { source, checks } = openSource(running, services, group, pool);
  parts.defer(() => source.close());
  const projector = createProjector({
    pool,
    store: rawStore,
    decode: decodeFor(eventTypes, codec),
    discarded: discardedEvents(store),
    source,
    consumers,
    logger,
    rebuilds,
    keepReplaced: config.rebuildKeepHours > 0,
    onMoved: (move) => progress.moved(move),
  });
  parts.defer(() => projector.stop());
  await projector.start();
  return [...checks, ...consumerChecks(projector, services.pool, consumers)];
}

function openSource(
  { config, logger }: Process,
  { rawStore }: Services,
  group: string,
  pool: pg.Pool,
): { source: EventSource; checks: HealthCheck[] } {
  if (config.kafka === undefined) return { source: createDirectSource({ store: rawStore, logger }), checks: [] };
  const { topic } = config.kafka;
  const source = createKafkaSource({
    kafka: kafkaOf(config.kafka, config.role, logger),
    topic,
    groupId: `${topic}.${group}`,
    pool,
    store: rawStore,
    logger,
  });
  return { source, checks: [checkOf(`kafka ${group}`, () => source.state(), ['away', 'refused'])] };
}

/** Copies the log to Kafka while no other relay does. Returns its health check. */
export async function startRelay(running: Process, services: Services): Promise<HealthCheck[]> {
  const { config, logger, parts } = running;
  if (config.kafka === undefined) return [];
  const relay = createKafkaRelay({
    ...config.kafka,
    kafka: kafkaOf(config.kafka, config.role, logger),
    pool: openPool(running, services, 'relay', 4, RELAY_QUERY_TIMEOUT_MS),
    store: services.rawStore,
    logger,
  });
  parts.defer(() => relay.stop());
  await relay.start();
  return [checkOf('kafka relay', () => relay.state(), ['away', 'refused'])];
}

function kafkaOf({ brokers }: KafkaConfig, role: Role, logger: Logger): Kafka {
  return createKafkaClient({ brokers, clientId: `reelstream-${role}`, logger });
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
