import { v7 } from 'uuid';
import { eventIdFor } from '../../../core/eventIds.ts';
import type { EventStore } from '../../../core/eventStore.ts';
import type { JobRetry } from '../../../jobs/jobRetry.ts';
import { handleVideoCommand } from '../commandRoutes.ts';
import { videoStream } from '../decider.ts';
import { processQueue, type VideoJob } from './queues.ts';

/**
 * A video whose job failed has failed, so its retry is an event, as when its owner asks for it. The owner's quota does not
 * refuse an operator. The jobs of the other queues leave no trace in the log, and are put back.
 */
export function videoJobRetries({ store }: { readonly store: Pick<EventStore, 'append' | 'readStream'> }): JobRetry[] {
  const process: JobRetry<VideoJob> = {
    queue: processQueue,
    async retry({ videoId }, context) {
      const keyed = { ...context, idempotencyKey: context.idempotencyKey ?? v7() };
      const at = context.now.toISOString();
      const command = { type: 'RetryProcessing', by: 'operator', at } as const;
      const appended = await handleVideoCommand(store, videoId, command, keyed);
      // The event's id is the id of the new job.
      return { id: eventIdFor(keyed, videoStream(videoId), 0), appended };
    },
  };
  return [process];
}
