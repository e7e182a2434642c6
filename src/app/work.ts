import { createFirstEventId } from '../core/logId.ts';
import { featureWork, projections, queues } from '../features/index.ts';
import { createJobs } from '../jobs/jobs.ts';
import { createErasedTables } from '../projecting/erasedTables.ts';
import type { Consumer } from '../projecting/consumer.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import { observeAttempts, observeMediaWork, showJobQueues } from '../telemetry/jobMetrics.ts';
import { openJobList } from './jobList.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/**
 * Starts the features' jobs and their work at intervals. Returns their subscribers, keyed by the names of their consumer
 * groups.
 */
export async function startWork(
  { config, connections, logger, metrics, tracing, parts }: Process,
  services: Services,
  reportProgress: ReportUploadProgress,
): Promise<Record<string, readonly Consumer[]>> {
  const { databaseUrl, rawStore, files } = services;
  await files.scratch.sweep();
  const alone = config.databaseUrl === undefined;
  const jobs = createJobs({
    connectionString: databaseUrl,
    connections: connections.jobs,
    logger,
    tracing,
    queues,
    alone,
    onAttempt: observeAttempts(metrics),
  });
  await jobs.start();
  parts.defer(() => jobs.close());
  showJobQueues({ metrics, depths: () => openJobList(services).depths() });
  const logId = createFirstEventId(rawStore);
  const work = featureWork({
    ...services,
    settings: config,
    logger,
    tracing,
    reportProgress,
    jobs,
    logId,
    erasedTables: createErasedTables({ pool: services.pool, consumers: projections }),
    observeMedia: observeMediaWork(metrics),
  });
  await jobs.work(work.flatMap(({ workers = [] }) => workers));
  for (const sweep of work.flatMap(({ sweeps = [] }) => sweeps)) {
    sweep.start();
    parts.defer(() => sweep.close());
  }
  return byGroup(work.flatMap(({ subscribers = {} }) => Object.entries(subscribers)));
}

function byGroup(
  groups: readonly (readonly [group: string, consumers: readonly Consumer[]])[],
): Record<string, Consumer[]> {
  const all: Record<string, Consumer[]> = {};
  for (const [group, consumers] of groups) (all[group] ??= []).push(...consumers);
  return all;
}
