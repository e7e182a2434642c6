import type { ErasureRecord } from '../../core/erasedFields.ts';
import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';
import type { MediaFacts } from '../../media/mediaFacts.ts';

/** An object in the object store. */
export interface MediaObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/** Who may watch a video: everyone and it is in the feed, everyone who knows its id, or only its owner. */
export const visibilities = ['public', 'unlisted', 'private'] as const;
export type Visibility = (typeof visibilities)[number];

/** Where the files of a video are: where everyone may read them, or where each reader needs a signed URL. */
export type FilesAccess = 'public' | 'private';

/** In events of a video that was not public at that time. */
interface WhoSeesIt {
  readonly visibility?: Exclude<Visibility, 'public'>;
}

/** The HLS ladder of a video: playlists and files in one folder of the object store. */
export interface HlsLadder {
  /** The playlist that players open. It names the others relative to itself. */
  readonly master: MediaObject;
  /** Lowest first. The bit rate is the peak, in bits a second, with the sound. */
  readonly renditions: readonly { readonly width: number; readonly height: number; readonly bitrate: number }[];
  /** Number of objects, and their bytes together. */
  readonly files: number;
  readonly bytes: number;
}

/** Stream `video-<videoId>`. Title and description are the owner's text: they are encrypted in the log. */
export type VideoUploaded = DomainEvent<
  'VideoUploaded',
  {
    readonly videoId: string;
    readonly ownerId: string;
    readonly title: string;
    readonly description: string;
    readonly original: MediaObject;
    readonly facts: MediaFacts;
    readonly visibility: Visibility;
    readonly at: string;
  }
>;

export type VideoProcessed = DomainEvent<
  'VideoProcessed',
  WhoSeesIt & {
    readonly videoId: string;
    readonly ownerId: string;
    readonly video: MediaObject;
    readonly thumbnail: MediaObject;
    /** Of the rendition that is played. */
    readonly facts: MediaFacts;
    readonly at: string;
  }
>;

export type VideoProcessingFailed = DomainEvent<
  'VideoProcessingFailed',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** A sentence for the uploader. */
    readonly reason: string;
    readonly at: string;
  }
>;

/** The owner asked for another try after a failure. */
export type VideoProcessingRetried = DomainEvent<
  'VideoProcessingRetried',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** The file that is processed again. */
    readonly original: MediaObject;
    readonly at: string;
  }
>;

export type VideoDetailsChanged = DomainEvent<
  'VideoDetailsChanged',
  WhoSeesIt & {
    readonly videoId: string;
    readonly ownerId: string;
    readonly title: string;
    readonly description: string;
    readonly at: string;
  }
>;

export type VideoVisibilityChanged = DomainEvent<
  'VideoVisibilityChanged',
  {
    readonly videoId: string;
    readonly ownerId: string;
    readonly visibility: Visibility;
    /** The visibility until now. */
    readonly before: Visibility;
    /** Whether the video is ready to play. Until it is, only its owner can see it, whatever its visibility. */
    readonly isReady: boolean;
    /** A moderator has hidden the video: only its owner can see it, whatever its visibility. Absent otherwise. */
    readonly isHidden?: true;
    readonly at: string;
  }
>;

/** All objects of the video but its original were moved between the prefixes of the object store. */
export type VideoFilesMoved = DomainEvent<
  'VideoFilesMoved',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** Where the files are now. */
    readonly access: FilesAccess;
    readonly at: string;
  }
>;

/** What is made of a video after it can be played: the HLS ladder, the storyboard and the preview. */
export type VideoLadderMade = DomainEvent<
  'VideoLadderMade',
  { readonly videoId: string; readonly ownerId: string; readonly hls: HlsLadder; readonly at: string }
>;

export type VideoStoryboardMade = DomainEvent<
  'VideoStoryboardMade',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** WebVTT, which names the pictures. */
    readonly storyboard: MediaObject;
    /** A JPEG with all small pictures. */
    readonly pictures: MediaObject;
    readonly at: string;
  }
>;

export type VideoPreviewMade = DomainEvent<
  'VideoPreviewMade',
  { readonly videoId: string; readonly ownerId: string; readonly preview: MediaObject; readonly at: string }
>;

export type VideoDeleted = DomainEvent<
  'VideoDeleted',
  WhoSeesIt & {
    readonly videoId: string;
    readonly ownerId: string;
    /** Whether anyone but its owner could watch the video. False in events of version 1, which did not record it. */
    readonly wasPublic: boolean;
    readonly at: string;
  }
>;

/** What a moderator decided about a video. The reason is sealed under the key of its owner, whom it may describe. */
interface ModeratorsDecision {
  readonly videoId: string;
  readonly ownerId: string;
  /** The id of the admin, or `command line`. */
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

/** From now on only its owner can see the video, whatever its visibility. Its files move to where signed URLs reach them. */
export type VideoHidden = DomainEvent<
  'VideoHidden',
  WhoSeesIt &
    ModeratorsDecision & {
      /** Whether anyone but its owner could watch the video until now. */
      readonly wasPublic: boolean;
    }
>;

/** The video is seen again by those whom its visibility allows. */
export type VideoRestored = DomainEvent<
  'VideoRestored',
  WhoSeesIt &
    ModeratorsDecision & {
      /** Whether anyone but its owner can watch the video from now on. */
      readonly isPublic: boolean;
    }
>;

/** Follows a `VideoDeleted` that was not its owner's wish. */
export type VideoRemoved = DomainEvent<'VideoRemoved', ModeratorsDecision>;

/** The owner is forgotten. Whoever holds a title or a description of the video, also an earlier one, drops it. */
export type VideoTextErased = DomainEvent<
  'VideoTextErased',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** The events with text in clear, which are changed in the log. Empty when all text is encrypted, or the log cannot be changed. */
    readonly erased: readonly ErasureRecord[];
    readonly at: string;
  }
>;

export type VideoEvent =
  | VideoUploaded
  | VideoProcessed
  | VideoProcessingFailed
  | VideoProcessingRetried
  | VideoDetailsChanged
  | VideoVisibilityChanged
  | VideoFilesMoved
  | VideoLadderMade
  | VideoStoryboardMade
  | VideoPreviewMade
  | VideoHidden
  | VideoRestored
  | VideoRemoved
  | VideoDeleted
  | VideoTextErased;

/**
 * Stream `upload-<hash of user and Idempotency-Key>`: the id that the first try of an upload gave its video. Later
 * tries use it. An id derived from the key would not be time-ordered, so the video would be anywhere in the feed.
 */
export type UploadBegun = DomainEvent<
  'UploadBegun',
  { readonly videoId: string; readonly ownerId: string; readonly at: string }
>;

export const uploadEventTypes = {
  UploadBegun: { version: 1, shown: { videoId: true, ownerId: true, at: true } },
} as const satisfies EventDefinitions<UploadBegun>;

const ownersText = { subject: 'ownerId', fields: ['title', 'description'] } as const;
/** Text that is encrypted from this version on. It stays in clear in events that were recorded before. */
const sameFields = (data: Record<string, unknown>): Record<string, unknown> => data;
const common = { videoId: true, ownerId: true, at: true } as const;
/** What moderators decide. */
const decision = { ...common, by: true, reason: false } as const;
const reasonIsPersonal = { subject: 'ownerId', fields: ['reason'] } as const;

export const videoEventTypes = {
  // In version 1, every video was public.
  VideoUploaded: {
    version: 3,
    upcasts: { 1: (data) => ({ ...data, visibility: 'public' }), 2: sameFields },
    personal: ownersText,
    shown: { ...common, title: false, description: false, original: true, facts: true, visibility: true },
  },
  VideoProcessed: { version: 1, shown: { ...common, video: true, thumbnail: true, facts: true, visibility: true } },
  VideoProcessingFailed: { version: 1, shown: { ...common, reason: true } },
  VideoProcessingRetried: { version: 1, shown: { ...common, original: true } },
  VideoDetailsChanged: {
    version: 2,
    upcasts: { 1: sameFields },
    personal: ownersText,
    shown: { ...common, title: false, description: false, visibility: true },
  },
  VideoVisibilityChanged: {
    version: 1,
    shown: { ...common, visibility: true, before: true, isReady: true, isHidden: true },
  },
  VideoFilesMoved: { version: 1, shown: { ...common, access: true } },
  VideoLadderMade: { version: 1, shown: { ...common, hls: true } },
  VideoStoryboardMade: { version: 1, shown: { ...common, storyboard: true, pictures: true } },
  VideoPreviewMade: { version: 1, shown: { ...common, preview: true } },
  VideoHidden: { version: 1, personal: reasonIsPersonal, shown: { ...decision, wasPublic: true, visibility: true } },
  VideoRestored: { version: 1, personal: reasonIsPersonal, shown: { ...decision, isPublic: true, visibility: true } },
  VideoRemoved: { version: 1, personal: reasonIsPersonal, shown: decision },
  // Version 1 does not record whether the video was public. Strangers must not learn ids of private videos, so assume
  // not.
  VideoDeleted: {
    version: 2,
    upcasts: { 1: (data) => ({ ...data, wasPublic: false }) },
    shown: { ...common, wasPublic: true, visibility: true },
  },
  VideoTextErased: { version: 1, shown: { ...common, erased: true } },
} as const satisfies EventDefinitions<VideoEvent>;
