import type { RecordedEvent } from '../core/event.ts';
import type { Consumer } from '../projecting/consumer.ts';
import { createSubscriber } from '../projecting/subscriber.ts';
import type { VideoDeleted, VideoUploaded } from '../videos/events.ts';
import type { MediaJob, MediaJobs } from './mediaJobs.ts';

/** Turns uploads into work and deletions into removals: each event into one job, in the transaction of its checkpoint. */
export function createMediaProcessManager({ jobs }: { jobs: Pick<MediaJobs, 'add'> }): Consumer {
  return createSubscriber({
    name: 'media_process_manager',
    handles: ['VideoUploaded', 'VideoDeleted'],
    handle: async (events, client) => {
      await jobs.add('process', events.filter(({ type }) => type === 'VideoUploaded').map(toJob), client);
      await jobs.add('remove', events.filter(({ type }) => type === 'VideoDeleted').map(toJob), client);
    },
  });
}

function toJob({ id, data, metadata }: RecordedEvent<VideoUploaded | VideoDeleted>): { id: string; data: MediaJob } {
  const { correlationId, traceparent } = metadata;
  return { id, data: { videoId: data.videoId, correlationId, causationId: id, ...(traceparent !== undefined && { traceparent }) } };
}
