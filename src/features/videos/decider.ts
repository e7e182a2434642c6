import type { Decider } from '../../core/decider.ts';
import type { ErasureRecord } from '../../core/erasedFields.ts';
import { DomainError } from '../../core/errors.ts';
import type { MediaFacts } from '../../media/mediaFacts.ts';
import type { FilesAccess, HlsLadder, MediaObject, VideoEvent, Visibility } from './events.ts';

export interface UploadVideo {
  readonly type: 'UploadVideo';
  readonly videoId: string;
  readonly ownerId: string;
  readonly title: string;
  readonly description: string;
  readonly original: MediaObject;
  readonly facts: MediaFacts;
  readonly visibility: Visibility;
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
  /** Its owner, or `operator`. */
  readonly by: { readonly userId: string } | 'operator';
  readonly at: string;
}

export interface ChangeVideoDetails {
  readonly type: 'ChangeVideoDetails';
  readonly userId: string;
  readonly title?: string;
  readonly description?: string;
  readonly visibility?: Visibility;
  readonly at: string;
}

/** Every object of the video, except its original, is where `access` says. */
export interface RecordFilesMoved {
  readonly type: 'RecordFilesMoved';
  readonly access: FilesAccess;
  readonly at: string;
}

/** The media worker has made of a video that can be played what else belongs to it. */
export interface RecordExtras extends VideoExtras {
  readonly type: 'RecordExtras';
  readonly at: string;
}

export interface VideoExtras {
  readonly hls: HlsLadder;
  readonly storyboard: MediaObject;
  readonly pictures: MediaObject;
  readonly preview: MediaObject;
}

export interface DeleteVideo {
  readonly type: 'DeleteVideo';
  readonly userId: string;
  readonly at: string;
}

/** The owner is forgotten. */
export interface EraseVideoText {
  readonly type: 'EraseVideoText';
  readonly erased: readonly ErasureRecord[];
  readonly at: string;
}

export type VideoCommand =
  | UploadVideo
  | RecordVideoProcessed
  | RecordProcessingFailure
  | RetryProcessing
  | ChangeVideoDetails
  | RecordFilesMoved
  | RecordExtras
  | DeleteVideo
  | EraseVideoText;

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
  readonly visibility: Visibility;
  /** Where its files are. They follow `visibility` a little later. */
  readonly filesAccess: FilesAccess;
  /** Set some time after the video became ready. */
  readonly extras?: Partial<VideoExtras>;
  /** Whether its title and its description are erased. They are `''` then. */
  readonly isErased?: true;
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
    case 'RecordFilesMoved':
      return recordFilesMoved(command, state);
    case 'RecordExtras':
      return recordExtras(command, state);
    case 'DeleteVideo':
      return remove(command, state);
    case 'EraseVideoText':
      return eraseText(command, state);
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
  const { id: videoId, ownerId } = state;
  return [{ type: 'VideoProcessed', data: { videoId, ownerId, video, thumbnail, facts, ...whoSees(state), at } }];
}

function recordFailure({ reason, at }: RecordProcessingFailure, state: VideoState): readonly VideoEvent[] {
  if (state.status === 'none') throw videoNotFound();
  if (state.status !== 'processing') return [];
  return [{ type: 'VideoProcessingFailed', data: { videoId: state.id, ownerId: state.ownerId, reason, at } }];
}

function retry({ by, at }: RetryProcessing, state: VideoState): readonly VideoEvent[] {
  const video = by === 'operator' ? anyVideo(state) : ownVideo(state, by.userId);
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
  const { title = video.title, description = video.description, visibility = video.visibility, at } = command;
  const ids = { videoId: video.id, ownerId: video.ownerId };
  const events: VideoEvent[] = [];
  if (visibility !== video.visibility) {
    const isReady = video.status === 'ready';
    events.push({
      type: 'VideoVisibilityChanged',
      data: { ...ids, visibility, before: video.visibility, isReady, at },
    });
  }
  if (title !== video.title || description !== video.description) {
    // The visibility after this command: what changes together with it is not shown to those who no longer see the video.
    events.push({ type: 'VideoDetailsChanged', data: { ...ids, title, description, ...whoSees({ visibility }), at } });
  }
  return events;
}

/** A job that is late, because the visibility has changed again or the video is deleted, has moved nothing that counts. */
function recordFilesMoved({ access, at }: RecordFilesMoved, state: VideoState): readonly VideoEvent[] {
  if (state.status === 'none') throw videoNotFound();
  if (state.status === 'deleted' || state.filesAccess === access || accessFor(state) !== access) return [];
  return [{ type: 'VideoFilesMoved', data: { videoId: state.id, ownerId: state.ownerId, access, at } }];
}

/** Only the first worker's files count: those of another are removed. */
function recordExtras(command: RecordExtras, state: VideoState): readonly VideoEvent[] {
  if (state.status === 'none') throw videoNotFound();
  if (state.status !== 'ready') return [];
  const { hls, storyboard, pictures, preview, at } = command;
  const ids = { videoId: state.id, ownerId: state.ownerId };
  const made: VideoEvent[] = [];
  if (!state.extras?.hls) made.push({ type: 'VideoLadderMade', data: { ...ids, hls, at } });
  if (!state.extras?.storyboard) made.push({ type: 'VideoStoryboardMade', data: { ...ids, storyboard, pictures, at } });
  if (!state.extras?.preview) made.push({ type: 'VideoPreviewMade', data: { ...ids, preview, at } });
  return made;
}

/** Where the files of a video belong. */
export function accessFor({ visibility }: Pick<ExistingVideo, 'visibility'>): FilesAccess {
  return visibility === 'private' ? 'private' : 'public';
}

/** Events of public videos do not name the visibility, as in the time when every video was public. */
function whoSees({ visibility }: Pick<ExistingVideo, 'visibility'>) {
  return visibility === 'public' ? {} : { visibility };
}

function remove({ userId, at }: DeleteVideo, state: VideoState): readonly VideoEvent[] {
  const video = ownVideo(state, userId);
  if (video.status === 'deleted') return [];
  return [
    {
      type: 'VideoDeleted',
      data: { videoId: video.id, ownerId: video.ownerId, wasPublic: isSeenByOthers(video), ...whoSees(video), at },
    },
  ];
}

/** Only a deleted video gets no other text afterwards. */
function eraseText({ erased, at }: EraseVideoText, state: VideoState): readonly VideoEvent[] {
  if (state.status !== 'deleted') throw new Error('the text of a video is erased before the video is deleted');
  if (state.isErased) return [];
  return [{ type: 'VideoTextErased', data: { videoId: state.id, ownerId: state.ownerId, erased, at } }];
}

/** The video, for its owner. Others get 404 for a video that they may not see, and 403 for one that they may. */
export function ownVideo(state: VideoState, userId: string): ExistingVideo {
  if (state.status === 'none') throw videoNotFound();
  if (state.ownerId === userId) return state;
  if (isSeenByOthers(state))
    throw new DomainError('forbidden', 'not_your_video', 'Only its owner may do this with a video.');
  throw videoNotFound();
}

/** Whether everyone who knows its id may watch the video. */
export function isSeenByOthers({ status, visibility }: Pick<ExistingVideo, 'status' | 'visibility'>): boolean {
  return status === 'ready' && visibility !== 'private';
}

function anyVideo(state: VideoState): ExistingVideo {
  if (state.status === 'none') throw videoNotFound();
  return state;
}

export function videoNotFound(): DomainError {
  return new DomainError('notFound', 'video_not_found', 'There is no such video.');
}

function evolve(state: VideoState, { type, data }: VideoEvent): VideoState {
  if (type === 'VideoUploaded') {
    const { videoId: id, at, ...uploaded } = data;
    return { ...uploaded, status: 'processing', id, filesAccess: accessFor(data), createdAt: at, updatedAt: at };
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
    case 'VideoVisibilityChanged':
      return { ...state, visibility: data.visibility, updatedAt: data.at };
    case 'VideoFilesMoved':
      return { ...state, filesAccess: data.access };
    case 'VideoLadderMade':
      return { ...state, extras: { ...state.extras, hls: data.hls } };
    case 'VideoStoryboardMade':
      return { ...state, extras: { ...state.extras, storyboard: data.storyboard, pictures: data.pictures } };
    case 'VideoPreviewMade':
      return { ...state, extras: { ...state.extras, preview: data.preview } };
    case 'VideoDeleted':
      return { ...state, status: 'deleted', updatedAt: data.at };
    case 'VideoTextErased':
      return { ...state, title: '', description: '', isErased: true };
  }
}
