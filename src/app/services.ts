import type { Kysely } from 'kysely';
import type { ReadModels } from '../../projections/index.ts';
import type { SharedRedis } from '../cache/sharedRedis.ts';
import type { Role } from '../config/config.ts';
import { abortable } from '../core/abortable.ts';
import type { EventStore } from '../core/eventStore.ts';
import { createShownLog, type ShownLog } from '../core/shownLog.ts';
import { withCodec } from '../eventStore/withCodec.ts';
import type { MediaFiles } from '../features/feature.ts';
import { eventTypes } from '../features/index.ts';
import type { HealthCheck } from '../http/server/health.ts';
import type { Database } from '../postgres/database.ts';
import { createQueryDatabase } from '../postgres/queryDatabase.ts';
import { createSharedProgress, type SharedProgress } from '../projecting/progress/sharedProgress.ts';
import { createWrittenRows, type WrittenRows } from '../projecting/writtenRows.ts';
import { createLogDistance, type MeasureDistance } from '../telemetry/logDistance.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { observedEventStore } from '../telemetry/observedEventStore.ts';
import { showProjectionLag } from '../telemetry/projectionLag.ts';
import { openEventLog, type EventLog } from './eventLog.ts';
import { openMediaFiles } from './openMediaFiles.ts';
import { openObjectStore, type OpenedObjectStore } from './openObjectStore.ts';
import { openRedis } from './openRedis.ts';
import type { Process } from './process.ts';
import { readModelsCheck } from './projectionHealth.ts';

/** The adapters that the roles of a process use, chosen by its configuration. */
export interface Services extends EventLog, OpenedObjectStore {
  readonly metrics: Metrics;
  /** How far a reader of the log is behind it. */
  readonly distance: MeasureDistance;
  /** The log, decoded and observed. */
  readonly store: EventStore;
  /** The log for people: without personal data. */
  readonly log: ShownLog;
  readonly db: Kysely<ReadModels>;
  readonly progress: SharedProgress;
  /** What the projections of this process write, for its API. */
  readonly written: WrittenRows;
  readonly redis: SharedRedis | undefined;
  readonly files: MediaFiles;
  /** The health checks of these services. */
  readonly checks: readonly HealthCheck[];
  /** Whether there was no data before this start. */
  readonly firstStart: boolean;
}

/** @param port where this process listens */
export async function openServices(running: Process, database: Promise<Database>, port: number): Promise<Services> {
  const { config, connections, logger, tracing, metrics, parts, starting } = running;
  const foundMediaFiles = await openMediaFiles(running);
  const eventLog = await openEventLog({
    config,
    connections,
    logger,
    tracing,
    metrics,
    parts,
    database,
    signal: starting,
  });
  const { pool, rawStore, codec } = eventLog;
  const store = observedEventStore(withCodec(rawStore, codec), { tracing, metrics });
  const log = createShownLog(rawStore, eventTypes);
  const distance = createLogDistance({ store: rawStore, numbered: config.eventStoreUrl === undefined });
  const progress = await openProgress(running, eventLog, distance);
  const opened = await openObjectStore(running, port);
  const redis = await openRedis(running, eventLog);
  const files = await foundMediaFiles();
  const checks: HealthCheck[] = [
    { name: 'postgres', required: true, check: async () => void (await pool.query('select 1')) },
    { name: 'eventStore', required: true, check: async () => ({ head: String(await rawStore.head()) }) },
    { name: 'objectStore', required: false, check: () => opened.objects.check() },
  ];
  if (answersQueries(config.role)) checks.push(readModelsCheck(progress));
  if (redis !== undefined) {
    checks.push({ name: 'redis', required: false, check: async () => void (await redis.client.ping()) });
  }
  const db = createQueryDatabase<ReadModels>(pool);
  return {
    ...eventLog,
    ...opened,
    metrics,
    distance,
    store,
    log,
    db,
    progress,
    written: createWrittenRows(),
    redis,
    files,
    checks,
  };
}

async function openProgress(
  { config, logger, metrics, readModels, parts, starting }: Process,
  { pool, rawStore }: EventLog,
  distance: MeasureDistance,
): Promise<SharedProgress> {
  const progress = createSharedProgress({ pool, projections: readModels, logger });
  parts.defer(() => progress.close());
  // Only requests wait for projections, and each process that listens is woken by every notification.
  if (answersQueries(config.role)) {
    await abortable(progress.start(), starting);
    showProjectionLag({ metrics, store: rawStore, distance, progress, projections: readModels });
  }
  return progress;
}

const answersQueries = (role: Role): boolean => role === 'serve' || role === 'api';
