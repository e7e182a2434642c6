import type { RecordedEvent } from '../../../core/event.ts';
import type { Consumer } from '../../../projecting/consumer.ts';
import { createSubscriber } from '../../../projecting/subscriber.ts';
import type {
  VideoDeleted,
  VideoProcessed,
  VideoProcessingFailed,
  VideoProcessingRetried,
  VideoUploaded,
} from '../events.ts';
import type { MediaJobs, NewMediaJob } from '../../../jobs/mediaJobs.ts';
import { recordPending, settlePending } from './uploadQuota.ts';

type MediaEvent = VideoUploaded | VideoProcessed | VideoProcessingFailed | VideoProcessingRetried | VideoDeleted;
type Event = RecordedEvent<MediaEvent>;
const begins = ({ type }: Event): boolean => type === 'VideoUploaded' || type === 'VideoProcessingRetried';
const deletes = ({ type }: Event): boolean => type === 'VideoDeleted';

/**
 * Turns uploads and retries into work, and deletions into the end of work and into removals: each event into one job, in the
 * transaction of its checkpoint. Keeps count of what each user has waiting.
 */
export function createMediaProcessManager({ jobs }: { jobs: Pick<MediaJobs, 'add' | 'cancel'> }): Consumer {
  return createSubscriber<MediaEvent>({
    name: 'media_process_manager',
    handles: ['VideoUploaded', 'VideoProcessed', 'VideoProcessingFailed', 'VideoProcessingRetried', 'VideoDeleted'],
    handle: async (events, { client }) => {
      await jobs.add('process', events.filter(begins).map(toJob), client);
      await jobs.cancel(
        events.filter(deletes).map(({ data }) => data.videoId),
        client,
      );
      await jobs.add('remove', events.filter(deletes).map(toJob), client);
      for (const { type, data } of lastOfEach(events)) {
        if (type === 'VideoUploaded' || type === 'VideoProcessingRetried') await recordPending(client, data);
        else await settlePending(client, data.videoId);
      }
    },
  });
}

function lastOfEach(events: readonly Event[]): Iterable<Event> {
  return new Map(events.map((event) => [event.stream, event])).values();
}

function toJob({ id, data, metadata }: Event): NewMediaJob {
  const { correlationId, traceparent } = metadata;
  const { videoId, ownerId } = data;
  return {
    id,
    ownerId,
    data: { videoId, correlationId, causationId: id, ...(traceparent !== undefined && { traceparent }) },
  };
}
