import { createLogId } from '../core/logId.ts';
import { createMediaProcessManager } from '../features/videos/processing/mediaProcessManager.ts';
import { createMediaWorker } from '../features/videos/processing/mediaWorker.ts';
import { createOrphanSweep } from '../features/videos/processing/orphans.ts';
import { createMediaJobs } from '../jobs/mediaJobs.ts';
import type { Consumer } from '../projecting/consumer.ts';
import type { ReportUploadProgress } from '../realtime/uploadProgress.ts';
import type { Process } from './process.ts';
import type { Services } from './services.ts';

/** Starts the job queues. Answers the subscribers that make jobs out of events, by the names of their consumer groups. */
export async function startWork(
  { config, logger, parts }: Process,
  { databaseUrl, store, rawStore, objects, files }: Services,
  reportProgress: ReportUploadProgress,
): Promise<Record<string, Consumer[]>> {
  await files.scratch.sweep();
  const jobs = createMediaJobs({ connectionString: databaseUrl, logger, alone: config.databaseUrl === undefined });
  await jobs.start();
  parts.defer(() => jobs.close());
  const worker = createMediaWorker({ store, objects, ...files, reportProgress, logger });
  await jobs.work(worker, { concurrency: config.mediaConcurrency });
  const orphans = createOrphanSweep({ objects, store, scratch: files.scratch, logId: createLogId(rawStore), logger });
  orphans.start();
  parts.defer(() => orphans.close());
  return { media: [createMediaProcessManager({ jobs })] };
}
