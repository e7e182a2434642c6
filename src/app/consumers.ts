import type { Kafka } from 'kafkajs';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { KafkaConfig, Role } from '../config/config.ts';
import { createDirectSource } from '../delivery/direct/directSource.ts';
import type { EventSource } from '../delivery/eventSource.ts';
import { createKafkaClient } from '../delivery/kafka/client.ts';
import { createKafkaRelay } from '../delivery/kafka/kafkaRelay.ts';
import { createKafkaSource } from '../delivery/kafka/kafkaSource.ts';
import { eventTypes } from '../features/eventTypes.ts';
import { createMediaJobs } from '../jobs/mediaJobs.ts';
import { createMediaProcessManager } from '../features/videos/processing/mediaProcessManager.ts';
import { createMediaWorker } from '../features/videos/processing/mediaWorker.ts';
import { createOrphanSweep } from '../features/videos/processing/orphans.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { decodeFor } from '../projecting/decoding.ts';
import { createLogId } from '../core/logId.ts';
import { createProjector } from '../projecting/projector.ts';
import type { Engines } from './engines.ts';
import { openPool } from './eventLog.ts';

/** Longer than any batch takes. A connection that has gone silent holds a consumer up for no longer. */
const BATCH_TIMEOUT_MS = 60_000;
/** About as long as a lease lasts: a renewal that takes longer comes too late. */
const RELAY_QUERY_TIMEOUT_MS = 5_000;

/** Runs media jobs; answers the consumer that makes them out of events. */
export async function startMedia(
  { config, log, parts, databaseUrl, store, rawStore, objects, scratch, inspect, tools, sandbox }: Engines,
  reportProgress: ReportUploadProgress,
): Promise<Consumer> {
  await scratch.sweep();
  const jobs = createMediaJobs({ connectionString: databaseUrl, logger: log, alone: config.databaseUrl === undefined });
  await jobs.start();
  parts.defer(() => jobs.close());
  const worker = createMediaWorker({
    store,
    objects,
    scratch,
    inspect,
    ffmpeg: tools.ffmpeg.path,
    sandbox,
    reportProgress,
    logger: log,
  });
  await jobs.work(worker, { concurrency: config.mediaConcurrency });
  const orphans = createOrphanSweep({ objects, store, scratch, logId: createLogId(rawStore), logger: log });
  orphans.start();
  parts.defer(() => orphans.close());
  return createMediaProcessManager({ jobs });
}

/** With Kafka each group has its own way to the events; without, all consumers of the process share one subscription. */
export async function startConsumers(
  engines: Engines,
  groups: { readonly projections: Consumer[]; readonly media: Consumer[] },
): Promise<void> {
  if (engines.config.kafka === undefined) return startGroup(engines, 'consumers', Object.values(groups).flat());
  for (const [group, consumers] of Object.entries(groups)) await startGroup(engines, group, consumers);
}

async function startGroup(engines: Engines, group: string, consumers: readonly Consumer[]): Promise<void> {
  if (consumers.length === 0) return;
  const { log, parts, rawStore, codec, progress, checks } = engines;
  const pool = openPool(engines, group, consumers.length + 3, BATCH_TIMEOUT_MS);
  const source = openSource(engines, group, pool);
  parts.defer(() => source.close());
  const decode = decodeFor(eventTypes, codec);
  const projector = createProjector({
    pool,
    store: rawStore,
    decode,
    source,
    consumers,
    log,
    onMoved: (move) => progress.moved(move),
  });
  parts.defer(() => projector.stop());
  await projector.start();
  checks.push({ name: group, required: false, check: () => Promise.resolve(projector.states()) });
}

function openSource({ config, log, rawStore, checks }: Engines, group: string, pool: pg.Pool): EventSource {
  if (config.kafka === undefined) return createDirectSource({ store: rawStore, log });
  const { topic } = config.kafka;
  const source = createKafkaSource({
    kafka: kafkaOf(config.kafka, config.role, log),
    topic,
    groupId: `${topic}.${group}`,
    pool,
    store: rawStore,
    log,
  });
  checks.push({ name: `kafka ${group}`, required: false, check: () => told(source.state(), ['away', 'refused']) });
  return source;
}

/** Copies the log to Kafka, for as long as no other relay does. */
export async function startRelay(engines: Engines): Promise<void> {
  const { config, log, parts, rawStore, checks } = engines;
  if (config.kafka === undefined) return;
  const relay = createKafkaRelay({
    ...config.kafka,
    kafka: kafkaOf(config.kafka, config.role, log),
    pool: openPool(engines, 'relay', 4, RELAY_QUERY_TIMEOUT_MS),
    store: rawStore,
    log,
  });
  parts.defer(() => relay.stop());
  await relay.start();
  checks.push({ name: 'kafka relay', required: false, check: () => told(relay.state(), ['away', 'refused']) });
}

function kafkaOf({ brokers }: KafkaConfig, role: Role, log: Logger): Kafka {
  return createKafkaClient({ brokers, clientId: `reelstream-${role}`, log });
}

/** What a part says of itself, as a health check has it. */
async function told<State extends { readonly state: string; readonly reason?: string; readonly position?: bigint }>(
  { state, reason, position }: State,
  bad: readonly State['state'][],
): Promise<Record<string, string>> {
  if (bad.includes(state)) throw new Error(reason ?? state);
  return { state, ...(position !== undefined && { position: String(position) }) };
}
