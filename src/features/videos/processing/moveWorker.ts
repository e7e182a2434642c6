import type { QueueWorker } from '../../../jobs/queue.ts';
import type { MoveFiles } from './moveFiles.ts';
import { movedQueue, moveQueue, type VideoJob } from './queues.ts';

/** Move the files of videos that become private, and of those that no longer are, and remove what was left behind. */
export function createMoveWorkers(moveFiles: MoveFiles): QueueWorker<VideoJob>[] {
  return [moveQueue, movedQueue].map((queue) => ({
    queue,
    handle: ({ videoId, ...job }, { signal }) =>
      moveFiles(videoId, { ...job, actor: 'media', now: new Date() }, signal),
  }));
}
