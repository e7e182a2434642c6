import type { QueueWorker } from '../../../jobs/queue.ts';
import type { ObjectStore } from '../../../objectStore/objectStore.ts';
import { removeObjects } from './mediaKeys.ts';
import { removeQueue, type VideoJob } from './queues.ts';

/** Removes the objects of deleted videos. */
export function createRemoveWorker({ objects }: { readonly objects: ObjectStore }): QueueWorker<VideoJob> {
  return { queue: removeQueue, handle: ({ videoId }) => removeObjects(objects, videoId) };
}
