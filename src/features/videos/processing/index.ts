import type { Queue } from '../../../jobs/queue.ts';
import type { FeatureWork, WorkerContext } from '../../feature.ts';
import { createExtrasWorker } from './extrasWorker.ts';
import { createKeptProgress } from './keptProgress.ts';
import { createMediaProcessManager } from './mediaProcessManager.ts';
import { createOrphanSweep } from './orphans.ts';
import { pendingUploadsOf } from './pendingUploads.ts';
import { createProcessWorker } from './processWorker.ts';
import { createMoveFiles } from './moveFiles.ts';
import { createMoveWorkers } from './moveWorker.ts';
import { extrasQueue, movedQueue, moveQueue, processQueue, removeQueue } from './queues.ts';
import { createRemoveWorker } from './removeWorker.ts';
import { createUploadQuota } from './uploadQuota.ts';
import { createUploads } from '../resumable/uploads.ts';
import { createUploadSweep } from '../resumable/uploadSweep.ts';

export { videoJobRetries } from './jobRetries.ts';

/** The queues of the pipeline. */
export const videoQueues: readonly Queue[] = [processQueue, extrasQueue, moveQueue, movedQueue, removeQueue];

/** Makes uploads playable, and removes the files that nobody needs. */
export function videoProcessing(context: WorkerContext): FeatureWork {
  const { db, files, settings } = context;
  const moveFiles = createMoveFiles(context);
  const quota = createUploadQuota({ db: pendingUploadsOf(db), ...settings.uploadQuota });
  return {
    workers: [
      createProcessWorker({
        ...context,
        ...files,
        moveFiles,
        reportProgress: createKeptProgress({
          ...context,
          db: pendingUploadsOf(context.db),
          report: context.reportProgress,
        }),
        concurrency: settings.mediaConcurrency,
      }),
      createExtrasWorker({ ...context, ...files, moveFiles }),
      ...createMoveWorkers(moveFiles),
      createRemoveWorker(context),
    ],
    subscribers: { media: [createMediaProcessManager(context)] },
    sweeps: [
      createOrphanSweep({ ...context, scratch: files.scratch }),
      createUploadSweep({ ...context, uploads: createUploads(db), quota }),
    ],
  };
}
