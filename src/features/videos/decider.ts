import type { Decider } from '../../core/decider.ts';
import type { ErasureRecord } from '../../core/erasedFields.ts';
import { DomainError } from '../../core/errors.ts';
import type { MediaFacts } from '../../media/mediaFacts.ts';
import type { FilesAccess, HlsLadder, MediaObject, VideoEvent, VideoRemoved, Visibility } from './events.ts';

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

/** What a moderator does with a video, also one whose owner is someone else. */
export interface ModerateVideo {
  readonly type: 'HideVideo' | 'RestoreVideo' | 'RemoveVideo';
  /** The id of the admin, or `command line`. */
  readonly by: string;
  readonly reason: string;
  readonly at: string;
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
  | ModerateVideo
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
  /** When they were moved there. */
  readonly filesMovedAt?: string;
  /** Set some time after the video became ready. */
  readonly extras?: Partial<VideoExtras>;
  /** Whether its title and its description are erased. They are `''` then. */
  readonly isErased?: true;
  /** Why processing failed. */
  readonly failure?: string;
  /** Set while a moderator hides it. */
  readonly isHidden?: true;
  /** Set if it is deleted because a moderator has removed it. */
  readonly isRemoved?: true;
  /** Why it is hidden or removed. */
  readonly moderated?: Pick<ModerateVideo, 'by' | 'reason' | 'at'>;
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
    case 'HideVideo':
      return hide(command, state);
    case 'RestoreVideo':
      return restore(command, state);
    case 'RemoveVideo':
      return removeByModerator(command, state);
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
      data: { ...ids, visibility, before: video.visibility, isReady, ...(video.isHidden && { isHidden: true }), at },
    });
  }
  if (title !== video.title || description !== video.description) {
    // The visibility after this command: what changes together with it is not shown to those who no longer see the video.
    const seen = whoSees({ ...video, visibility });
    events.push({ type: 'VideoDetailsChanged', data: { ...ids, title, description, ...seen, at } });
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

function hide({ type: _, ...decision }: ModerateVideo, state: VideoState): readonly VideoEvent[] {
  const video = moderatedVideo(state);
  if (video.isHidden) return [];
  const { id: videoId, ownerId } = video;
  const wasPublic = isSeenByOthers(video);
  return [{ type: 'VideoHidden', data: { videoId, ownerId, ...decision, wasPublic, ...whoSees(video) } }];
}

function restore({ type: _, ...decision }: ModerateVideo, state: VideoState): readonly VideoEvent[] {
  const { isHidden, ...video } = moderatedVideo(state);
  if (!isHidden) return [];
  const { id: videoId, ownerId } = video;
  const isPublic = isSeenByOthers(video);
  return [{ type: 'VideoRestored', data: { videoId, ownerId, ...decision, isPublic, ...whoSees(video) } }];
}

function removeByModerator({ type: _, ...decision }: ModerateVideo, state: VideoState): readonly VideoEvent[] {
  if (state.status === 'deleted' && state.isRemoved) return [];
  const video = moderatedVideo(state);
  const ids = { videoId: video.id, ownerId: video.ownerId };
  return [deletion(video, decision.at), { type: 'VideoRemoved', data: { ...ids, ...decision } }];
}

/** @throws DomainError `video_removed` for a video that a moderator has removed; `video_not_found` */
function moderatedVideo(state: VideoState): ExistingVideo {
  const video = anyVideo(state);
  if (video.status !== 'deleted') return video;
  if (!video.isRemoved) throw videoNotFound();
  throw new DomainError('conflict', 'video_removed', 'A moderator has removed this video. Its files no longer exist.');
}

/** Where the files of a video belong. */
export function accessFor(video: Pick<ExistingVideo, 'visibility' | 'isHidden'>): FilesAccess {
  return seenAs(video) === 'private' ? 'private' : 'public';
}

/** A hidden video is seen by those who would see it if it were private. */
export function seenAs({ visibility, isHidden }: Pick<ExistingVideo, 'visibility' | 'isHidden'>): Visibility {
  return isHidden ? 'private' : visibility;
}

/** Events of public videos do not name the visibility, as in the time when every video was public. */
function whoSees(video: Pick<ExistingVideo, 'visibility' | 'isHidden'>) {
  const visibility = seenAs(video);
  return visibility === 'public' ? {} : { visibility };
}

function remove({ userId, at }: DeleteVideo, state: VideoState): readonly VideoEvent[] {
  const video = ownVideo(state, userId);
  return video.status === 'deleted' ? [] : [deletion(video, at)];
}

function deletion(video: ExistingVideo, at: string): VideoEvent {
  const { id: videoId, ownerId } = video;
  return { type: 'VideoDeleted', data: { videoId, ownerId, wasPublic: isSeenByOthers(video), ...whoSees(video), at } };
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
export function isSeenByOthers(video: Pick<ExistingVideo, 'status' | 'visibility' | 'isHidden'>): boolean {
  return video.status === 'ready' && seenAs(video) !== 'private';
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
      return { ...state, filesAccess: data.access, filesMovedAt: data.at };
    case 'VideoLadderMade':
      return { ...state, extras: { ...state.extras, hls: data.hls } };
    case 'VideoStoryboardMade':
      return { ...state, extras: { ...state.extras, storyboard: data.storyboard, pictures: data.pictures } };
    case 'VideoPreviewMade':
      return { ...state, extras: { ...state.extras, preview: data.preview } };
    case 'VideoHidden':
      return { ...state, isHidden: true, moderated: decisionOf(data), updatedAt: data.at };
    case 'VideoRestored': {
      const { isHidden: _, moderated: __, ...video } = state;
      return { ...video, updatedAt: data.at };
    }
    case 'VideoRemoved':
      return { ...state, isRemoved: true, moderated: decisionOf(data) };
    case 'VideoDeleted':
      return { ...state, status: 'deleted', updatedAt: data.at };
    case 'VideoTextErased':
      return { ...state, title: '', description: '', isErased: true };
  }
}

function decisionOf({ by, reason, at }: VideoRemoved['data']): ExistingVideo['moderated'] {
  return { by, reason, at };
}
