import type { Queue } from '../../../jobs/queue.ts';
import type { FeatureWork, WorkerContext } from '../../feature.ts';
import { createMediaProcessManager } from './mediaProcessManager.ts';
import { createOrphanSweep } from './orphans.ts';
import { createProcessWorker } from './processWorker.ts';
import { processQueue, removeQueue } from './queues.ts';
import { createRemoveWorker } from './removeWorker.ts';

/** The queues of the pipeline. */
export const videoQueues: readonly Queue[] = [processQueue, removeQueue];

/** Makes uploads playable, and removes the files that nobody needs. */
export function videoProcessing(context: WorkerContext): FeatureWork {
  const { files, settings } = context;
  return {
    workers: [
      createProcessWorker({ ...context, ...files, concurrency: settings.mediaConcurrency }),
      createRemoveWorker(context),
    ],
    subscribers: { media: [createMediaProcessManager(context)] },
    sweeps: [createOrphanSweep({ ...context, scratch: files.scratch })],
  };
}
