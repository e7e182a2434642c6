import { defineFeature } from '../feature.ts';
import { deleteRoute } from './deleteRoute.ts';
import { createErasureProcessManager } from './erasureProcessManager.ts';
import { eraseUser } from './eraseUser.ts';
import { exportRoute } from './exportRoute.ts';
import { eraseQueue, type EraseJob } from './queues.ts';
import { createTombstoneSweep } from './tombstoneSweep.ts';
import type { QueueWorker } from '../../jobs/queue.ts';

/** A user gets what is known of them, and deletes their account. */
export const erasure = defineFeature<never>({
  name: 'erasure',
  events: {},
  feed: {},
  routes: (context) => [deleteRoute(context), exportRoute(context)],
  queues: [eraseQueue],
  work(context) {
    const worker: QueueWorker<EraseJob> = { queue: eraseQueue, handle: (job, run) => eraseUser(context, job, run) };
    return {
      workers: [worker],
      subscribers: { media: [createErasureProcessManager(context)] },
      sweeps: [createTombstoneSweep(context)],
    };
  },
});
