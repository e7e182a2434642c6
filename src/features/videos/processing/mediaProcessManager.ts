import type { RecordedEvent } from '../../../core/event.ts';
import type { Jobs } from '../../../jobs/jobs.ts';
import type { NewJob } from '../../../jobs/queue.ts';
import type { Consumer } from '../../../projecting/consumer.ts';
import { createSubscriber } from '../../../projecting/subscriber.ts';
import type {
  VideoDeleted,
  VideoFilesMoved,
  VideoHidden,
  VideoProcessed,
  VideoProcessingFailed,
  VideoProcessingRetried,
  VideoRestored,
  VideoUploaded,
  VideoVisibilityChanged,
} from '../events.ts';
import { recordPending, settlePending } from './pendingUploads.ts';
import { extrasQueue, movedQueue, moveQueue, processQueue, removeQueue, type VideoJob } from './queues.ts';

type MediaEvent =
  | VideoUploaded
  | VideoProcessed
  | VideoProcessingFailed
  | VideoProcessingRetried
  | VideoVisibilityChanged
  | VideoHidden
  | VideoRestored
  | VideoFilesMoved
  | VideoDeleted;
type Event = RecordedEvent<MediaEvent>;
const begins = ({ type }: Event): boolean => type === 'VideoUploaded' || type === 'VideoProcessingRetried';
const isPlayable = ({ type }: Event): boolean => type === 'VideoProcessed';
/** Files of public and unlisted videos are at the same place. Those of hidden ones are where those of private ones are. */
const moves = ({ type, data }: Event): boolean =>
  type === 'VideoHidden' ||
  type === 'VideoRestored' ||
  (type === 'VideoVisibilityChanged' && (data.before === 'private') !== (data.visibility === 'private'));
const leavesCopies = ({ type, data }: Event): boolean => type === 'VideoFilesMoved' && data.access === 'public';
/** Whether it decides what is known of the pending upload of its video. */
const settles = ({ type }: Event): boolean =>
  type !== 'VideoVisibilityChanged' && type !== 'VideoHidden' && type !== 'VideoRestored' && type !== 'VideoFilesMoved';
const deletes = ({ type }: Event): boolean => type === 'VideoDeleted';

/**
 * Turns each upload and each retry into a job, in the transaction of its checkpoint. A video that can be played gets a job that
 * makes its ladder, storyboard and preview; one that becomes private or hidden, or stops being so, a job that moves its files, and
 * one that removes the private copies later. A deletion cancels the video's jobs and adds one that removes its objects. Also keeps the rows of `pending_uploads`, from which
 * quotas are counted.
 */
export function createMediaProcessManager({ jobs }: { jobs: Pick<Jobs, 'add' | 'cancel'> }): Consumer {
  return createSubscriber<MediaEvent>({
    name: 'media_process_manager',
    handles: [
      'VideoUploaded',
      'VideoProcessed',
      'VideoProcessingFailed',
      'VideoProcessingRetried',
      'VideoVisibilityChanged',
      'VideoHidden',
      'VideoRestored',
      'VideoFilesMoved',
      'VideoDeleted',
    ],
    handle: async (events, transaction) => {
      const deleted = events.filter(deletes);
      await jobs.add(processQueue, events.filter(begins).map(toJob), transaction);
      await jobs.add(extrasQueue, events.filter(isPlayable).map(toJob), transaction);
      await jobs.add(moveQueue, events.filter(moves).map(toJob), transaction);
      await jobs.add(movedQueue, events.filter(leavesCopies).map(toJob), transaction);
      const ofDeleted = deleted.map(({ data: { videoId } }) => ({ videoId }));
      for (const queue of [processQueue, extrasQueue, moveQueue, movedQueue])
        await jobs.cancel(queue, ofDeleted, transaction);
      await jobs.add(removeQueue, deleted.map(toJob), transaction);
      for (const { type, data } of lastOfEach(events.filter(settles))) {
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
