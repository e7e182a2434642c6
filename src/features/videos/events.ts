import type { DomainEvent } from '../../core/event.ts';
import type { EventDefinitions } from '../../core/eventTypes.ts';
import type { MediaFacts } from '../../media/mediaFacts.ts';

/** An object in the object store. */
export interface MediaObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/** Stream `video-<videoId>`. */
export type VideoUploaded = DomainEvent<
  'VideoUploaded',
  {
    readonly videoId: string;
    readonly ownerId: string;
    readonly title: string;
    readonly description: string;
    readonly original: MediaObject;
    readonly facts: MediaFacts;
    readonly at: string;
  }
>;

export type VideoProcessed = DomainEvent<
  'VideoProcessed',
  {
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
  {
    readonly videoId: string;
    readonly ownerId: string;
    readonly title: string;
    readonly description: string;
    readonly at: string;
  }
>;

export type VideoDeleted = DomainEvent<
  'VideoDeleted',
  {
    readonly videoId: string;
    readonly ownerId: string;
    /** Whether anyone but its owner could watch the video. False in events of version 1, which did not record it. */
    readonly wasPublic: boolean;
    readonly at: string;
  }
>;

export type VideoEvent =
  VideoUploaded | VideoProcessed | VideoProcessingFailed | VideoProcessingRetried | VideoDetailsChanged | VideoDeleted;

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

const common = { videoId: true, ownerId: true, at: true } as const;

export const videoEventTypes = {
  VideoUploaded: { version: 1, shown: { ...common, title: true, description: true, original: true, facts: true } },
  VideoProcessed: { version: 1, shown: { ...common, video: true, thumbnail: true, facts: true } },
  VideoProcessingFailed: { version: 1, shown: { ...common, reason: true } },
  VideoProcessingRetried: { version: 1, shown: { ...common, original: true } },
  VideoDetailsChanged: { version: 1, shown: { ...common, title: true, description: true } },
  // Version 1 does not record whether the video was public. Strangers must not learn ids of private videos, so assume
  // not.
  VideoDeleted: {
    version: 2,
    upcasts: { 1: (data) => ({ ...data, wasPublic: false }) },
    shown: { ...common, wasPublic: true },
  },
} as const satisfies EventDefinitions<VideoEvent>;
