import type { Decider } from '../../core/decider.ts';
import { DomainError } from '../../core/errors.ts';
import type { MediaFacts } from '../../media/mediaFacts.ts';
import type { MediaObject, VideoEvent } from './events.ts';

export interface UploadVideo {
  readonly type: 'UploadVideo';
  readonly videoId: string;
  readonly ownerId: string;
  readonly title: string;
  readonly description: string;
  readonly original: MediaObject;
  readonly facts: MediaFacts;
  readonly at: string;
}

/** The media worker has put the rendition and the thumbnail into the object store. */
export interface RecordVideoProcessed {
  readonly type: 'RecordVideoProcessed';
  readonly video: MediaObject;
  readonly thumbnail: MediaObject;
  readonly facts: MediaFacts;
  readonly at: string;
}

/** The media worker has given up. */
export interface RecordProcessingFailure {
  readonly type: 'RecordProcessingFailure';
  /** A sentence for the uploader. */
  readonly reason: string;
  readonly at: string;
}

/** Processes the stored original of a failed video again. */
export interface RetryProcessing {
  readonly type: 'RetryProcessing';
  readonly userId: string;
  readonly at: string;
}

export interface ChangeVideoDetails {
  readonly type: 'ChangeVideoDetails';
  readonly userId: string;
  readonly title?: string;
  readonly description?: string;
  readonly at: string;
}

export interface DeleteVideo {
  readonly type: 'DeleteVideo';
  readonly userId: string;
  readonly at: string;
}

export type VideoCommand =
  UploadVideo | RecordVideoProcessed | RecordProcessingFailure | RetryProcessing | ChangeVideoDetails | DeleteVideo;

export interface ExistingVideo {
  readonly status: 'processing' | 'ready' | 'failed' | 'deleted';
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  readonly description: string;
  readonly original: MediaObject;
  readonly facts: MediaFacts;
  readonly video?: MediaObject;
  readonly thumbnail?: MediaObject;
  /** Why processing failed. */
  readonly failure?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type VideoState = { readonly status: 'none' } | ExistingVideo;

export const videoDecider: Decider<VideoCommand, VideoEvent, VideoState> = {
  initialState: { status: 'none' },
  decide,
  evolve,
};

export function videoStream(videoId: string): string {
  return `video-${videoId}`;
}

function decide(command: VideoCommand, state: VideoState): readonly VideoEvent[] {
  switch (command.type) {
    case 'UploadVideo':
      return upload(command, state);
    case 'RecordVideoProcessed':
      return recordProcessed(command, state);
    case 'RecordProcessingFailure':
      return recordFailure(command, state);
    case 'RetryProcessing':
      return retry(command, state);
    case 'ChangeVideoDetails':
      return changeDetails(command, state);
    case 'DeleteVideo':
      return remove(command, state);
  }
}

function upload({ type: _, ...facts }: UploadVideo, state: VideoState): readonly VideoEvent[] {
  if (state.status === 'none') return [{ type: 'VideoUploaded', data: facts }];
  if (state.ownerId === facts.ownerId) return [];
  throw new DomainError('conflict', 'video_exists', 'This video id belongs to someone else.');
}

/** A late worker changes neither a failed video, whose uploader knows of the failure, nor a deleted one. */
function recordProcessed(
  { video, thumbnail, facts, at }: RecordVideoProcessed,
  state: VideoState,
): readonly VideoEvent[] {
  if (state.status === 'none') throw videoNotFound();
  if (state.status !== 'processing') return [];
  return [{ type: 'VideoProcessed', data: { videoId: state.id, ownerId: state.ownerId, video, thumbnail, facts, at } }];
}

function recordFailure({ reason, at }: RecordProcessingFailure, state: VideoState): readonly VideoEvent[] {
  if (state.status === 'none') throw videoNotFound();
  if (state.status !== 'processing') return [];
  return [{ type: 'VideoProcessingFailed', data: { videoId: state.id, ownerId: state.ownerId, reason, at } }];
}

function retry({ userId, at }: RetryProcessing, state: VideoState): readonly VideoEvent[] {
  const video = ownVideo(state, userId);
  if (video.status === 'deleted') throw videoNotFound();
  if (video.status !== 'failed') {
    throw new DomainError(
      'conflict',
      'not_failed',
      `Only a video whose processing failed can be retried; this one is ${video.status}.`,
    );
  }
  return [
    {
      type: 'VideoProcessingRetried',
      data: { videoId: video.id, ownerId: video.ownerId, original: video.original, at },
    },
  ];
}

function changeDetails(command: ChangeVideoDetails, state: VideoState): readonly VideoEvent[] {
  const video = ownVideo(state, command.userId);
  if (video.status === 'deleted') throw videoNotFound();
  const { title = video.title, description = video.description, at } = command;
  if (title === video.title && description === video.description) return [];
  return [{ type: 'VideoDetailsChanged', data: { videoId: video.id, ownerId: video.ownerId, title, description, at } }];
}

function remove({ userId, at }: DeleteVideo, state: VideoState): readonly VideoEvent[] {
  const video = ownVideo(state, userId);
  if (video.status === 'deleted') return [];
  return [
    {
      type: 'VideoDeleted',
      data: { videoId: video.id, ownerId: video.ownerId, wasPublic: video.status === 'ready', at },
    },
  ];
}

/** The video, for its owner. Others get 404 for a video that they may not see, and 403 for a public one. */
export function ownVideo(state: VideoState, userId: string): ExistingVideo {
  if (state.status === 'none') throw videoNotFound();
  if (state.ownerId === userId) return state;
  if (state.status === 'ready')
    throw new DomainError('forbidden', 'not_your_video', 'Only its owner may do this with a video.');
  throw videoNotFound();
}

export function videoNotFound(): DomainError {
  return new DomainError('notFound', 'video_not_found', 'There is no such video.');
}

function evolve(state: VideoState, { type, data }: VideoEvent): VideoState {
  if (type === 'VideoUploaded') {
    const { videoId: id, ownerId, title, description, original, facts, at } = data;
    return { status: 'processing', id, ownerId, title, description, original, facts, createdAt: at, updatedAt: at };
  }
  if (state.status === 'none') return state;
  switch (type) {
    case 'VideoProcessed':
      return {
        ...state,
        status: 'ready',
        video: data.video,
        thumbnail: data.thumbnail,
        facts: data.facts,
        updatedAt: data.at,
      };
    case 'VideoProcessingFailed':
      return { ...state, status: 'failed', failure: data.reason, updatedAt: data.at };
    case 'VideoProcessingRetried': {
      const { failure: _, ...video } = state;
      return { ...video, status: 'processing', updatedAt: data.at };
    }
    case 'VideoDetailsChanged':
      return { ...state, title: data.title, description: data.description, updatedAt: data.at };
    case 'VideoDeleted':
      return { ...state, status: 'deleted', updatedAt: data.at };
  }
}
