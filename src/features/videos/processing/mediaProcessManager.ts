import type { RecordedEvent } from '../../../core/event.ts';
import type { Jobs } from '../../../jobs/jobs.ts';
import type { NewJob } from '../../../jobs/queue.ts';
import type { Consumer } from '../../../projecting/consumer.ts';
import { createSubscriber } from '../../../projecting/subscriber.ts';
import type {
  VideoDeleted,
  VideoProcessed,
  VideoProcessingFailed,
  VideoProcessingRetried,
  VideoUploaded,
} from '../events.ts';
import { recordPending, settlePending } from './pendingUploads.ts';
import { processQueue, removeQueue, type VideoJob } from './queues.ts';

type MediaEvent = VideoUploaded | VideoProcessed | VideoProcessingFailed | VideoProcessingRetried | VideoDeleted;
type Event = RecordedEvent<MediaEvent>;
const begins = ({ type }: Event): boolean => type === 'VideoUploaded' || type === 'VideoProcessingRetried';
const deletes = ({ type }: Event): boolean => type === 'VideoDeleted';

/**
 * Turns each upload and each retry into a job, in the transaction of its checkpoint. A deletion cancels the video's job and
 * adds one that removes its objects. Also keeps the rows of `pending_uploads`, from which quotas are counted.
 */
export function createMediaProcessManager({ jobs }: { jobs: Pick<Jobs, 'add' | 'cancel'> }): Consumer {
  return createSubscriber<MediaEvent>({
    name: 'media_process_manager',
    handles: ['VideoUploaded', 'VideoProcessed', 'VideoProcessingFailed', 'VideoProcessingRetried', 'VideoDeleted'],
    handle: async (events, transaction) => {
      const deleted = events.filter(deletes);
      await jobs.add(processQueue, events.filter(begins).map(toJob), transaction);
      await jobs.cancel(
        processQueue,
        deleted.map(({ data: { videoId } }) => ({ videoId })),
        transaction,
      );
      await jobs.add(removeQueue, deleted.map(toJob), transaction);
      for (const { type, data } of lastOfEach(events)) {
        if (type === 'VideoUploaded' || type === 'VideoProcessingRetried') await recordPending(transaction, data);
        else await settlePending(transaction, data.videoId);
      }
    },
  });
}

function lastOfEach(events: readonly Event[]): Iterable<Event> {
  return new Map(events.map((event) => [event.stream, event])).values();
}

function toJob({ id, data, metadata }: Event): NewJob<VideoJob> {
  const { correlationId, traceparent } = metadata;
  const { videoId, ownerId } = data;
  return {
    id,
    ownerId,
    data: { videoId, correlationId, causationId: id, ...(traceparent !== undefined && { traceparent }) },
  };
}
