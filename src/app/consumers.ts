import type { LimitFunction } from 'p-limit';
import type pg from 'pg';
import { createDirectSource } from '../delivery/direct/directSource.ts';
import type { EventSource } from '../delivery/eventSource.ts';
import { eventTypes } from '../features/index.ts';
import { discardedEvents } from '../features/operators/index.ts';
import type { HealthCheck } from '../http/server/health.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { decodeFor } from '../projecting/decoding.ts';
import { createProjector } from '../projecting/projector.ts';
import { countParked } from '../projecting/status.ts';
import { observeBatches, showFailingConsumers } from '../telemetry/consumerMetrics.ts';
import { showParkedEvents } from '../telemetry/parkedEvents.ts';
import { openPool } from './eventLog.ts';
import type { Process } from './process.ts';
import { consumerChecks } from './projectionHealth.ts';
import type { Services } from './services.ts';

/** Longer than any batch takes. A connection that no longer answers delays a consumer by this time at most. */
const BATCH_TIMEOUT_MS = 60_000;

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
  // Side by side: during an outage each start takes as long as the outage is waited for.
  const starting = Object.entries(groups).map(([group, consumers]) =>
    startGroup(running, services, rebuilds, group, consumers),
  );
  const started = await Promise.allSettled(starting);
  const failed = started.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return started.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
}

async function startGroup(
  running: Process,
  services: Services,
  rebuilds: LimitFunction,
  group: string,
  consumers: readonly Consumer[],
): Promise<HealthCheck[]> {
  if (consumers.length === 0) return [];
  const { config, logger, tracing, parts } = running;
  const { metrics, rawStore, store, codec, progress, written } = services;
  const pool = openPool(running, services, group, BATCH_TIMEOUT_MS);
  const { source, checks } = await openSource(running, services, group, pool);
  parts.defer(() => source.close());
  const projector = createProjector({
    pool,
    store: rawStore,
    decode: decodeFor(eventTypes, codec),
    discarded: discardedEvents(store),
    source,
    consumers,
    logger,
    tracing,
    rebuilds,
    keepReplaced: config.rebuildKeepHours > 0,
    written,
    onMoved: (move) => progress.moved(move),
    onApplied: observeBatches(metrics),
  });
  parts.defer(() => projector.stop());
  await projector.start();
  showFailingConsumers({ metrics, states: () => projector.states() });
  return [...checks, ...consumerChecks(projector, services.pool, consumers)];
}

async function openSource(
  running: Process,
  services: Services,
  group: string,
  pool: pg.Pool,
): Promise<{ source: EventSource; checks: HealthCheck[] }> {
  const { config, logger } = running;
  if (config.kafka === undefined)
    return { source: createDirectSource({ store: services.rawStore, logger }), checks: [] };
  const { openKafkaSource } = await import('./kafka.ts');
  return openKafkaSource(running, services, { kafka: config.kafka, group, pool });
}

/** Copies the log to Kafka while no other relay does. Returns its health check. Does nothing without Kafka. */
export async function startRelay(running: Process, services: Services): Promise<HealthCheck[]> {
  const { kafka } = running.config;
  if (kafka === undefined) return [];
  const { startKafkaRelay } = await import('./kafka.ts');
  return [await startKafkaRelay(running, services, kafka)];
}
