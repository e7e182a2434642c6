import type { QueueWorker } from '../../../jobs/queue.ts';
import type { MoveFiles } from './moveFiles.ts';
import { moveQueue, type VideoJob } from './queues.ts';

/** Moves the files of videos that become private, and of those that no longer are. */
export function createMoveWorker(moveFiles: MoveFiles): QueueWorker<VideoJob> {
  return {
    queue: moveQueue,
    handle: ({ videoId, ...job }, { signal }) =>
      moveFiles(videoId, { ...job, actor: 'media', now: new Date() }, signal),
  };
}
