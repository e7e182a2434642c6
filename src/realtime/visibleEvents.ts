import type { RecordedEvent } from '../core/event.ts';
import type { LikeEvent } from '../features/likes/events.ts';
import type { VideoEvent } from '../features/videos/events.ts';
import type { VideoViewed } from '../features/views/events.ts';
import type { PushedEvent } from './messages.ts';

export type FeedEvent = RecordedEvent<VideoEvent | LikeEvent | VideoViewed>;

/** What subscribers can hear of. Accounts and sessions are nobody's business. */
export const feedEventTypes = [
  'VideoUploaded',
  'VideoProcessed',
  'VideoProcessingFailed',
  'VideoProcessingRetried',
  'VideoDetailsChanged',
  'VideoDeleted',
  'VideoLiked',
  'VideoUnliked',
  'VideoViewed',
] as const satisfies readonly FeedEvent['type'][];

/** The topic `me` of one user; the rest are as clients name them. */
export function topicOfUser(userId: string): string {
  return `me:${userId}`;
}

/** Topics under which an event is told. A video that nobody else can watch concerns its owner only. */
export function topicsOf({ type, data }: FeedEvent): readonly string[] {
  const owner = topicOfUser(data.ownerId);
  const video = `video:${data.videoId}`;
  switch (type) {
    case 'VideoUploaded':
    case 'VideoProcessingFailed':
    case 'VideoProcessingRetried':
      return [owner];
    case 'VideoProcessed':
      return ['feed', video, owner];
    case 'VideoDeleted':
      return data.wasPublic ? ['feed', video, owner] : [owner];
    case 'VideoDetailsChanged':
    case 'VideoViewed':
      return [video, owner];
    case 'VideoLiked':
    case 'VideoUnliked':
      return [video, owner, topicOfUser(data.userId)];
  }
}

/** An event as one subscriber may see it: never who liked or viewed, never where an original lies. */
export function viewFor(event: FeedEvent, userId: string | undefined): PushedEvent {
  return {
    position: String(event.position),
    type: event.type,
    time: event.data.at,
    data: dataFor(event, event.data.ownerId === userId),
  };
}

function dataFor({ type, data }: FeedEvent, own: boolean): object {
  const { videoId, ownerId } = data;
  switch (type) {
    case 'VideoUploaded':
      return { videoId, title: data.title, description: data.description };
    case 'VideoProcessingFailed':
      return { videoId, reason: data.reason };
    case 'VideoProcessed':
      return { videoId, uploadedBy: ownerId, ...data.facts };
    case 'VideoDetailsChanged':
      // The new title of a video that is not yet public would otherwise be told to anyone who knows its id.
      return own ? { videoId, title: data.title, description: data.description } : { videoId };
    case 'VideoProcessingRetried':
    case 'VideoDeleted':
    case 'VideoViewed':
    case 'VideoLiked':
    case 'VideoUnliked':
      return { videoId };
  }
}
