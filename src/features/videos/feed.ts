import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { NOBODY_HEARS, topicOfUser, type FeedRules, type FeedTopic } from '../../realtime/feedDefinition.ts';
import {
  visibilities,
  type UploadBegun,
  type VideoEvent,
  type VideoHidden,
  type VideoRestored,
  type Visibility,
} from './events.ts';
import { mediaFactsFields } from './mediaFactsFields.ts';

export const videoTopics: readonly FeedTopic[] = [
  {
    name: 'feed',
    schema: z.literal('feed'),
    description:
      '`feed` has events that everybody may see: videos that enter the feed, because they become ready to play or public, and those that leave it.',
  },
  {
    name: 'video:<id>',
    schema: z.templateLiteral(['video:', z.uuid()]),
    description:
      '`video:<id>` has all events of one video, except those from a time in which only its owner may see it.',
  },
];

/** The topic of one video. */
export function topicOfVideo(videoId: string): string {
  return `video:${videoId}`;
}

/** The field that every message about a video has. */
export const videoIdField = { videoId: z.uuid().meta({ examples: [exampleValues.videoId] }) };

const title = z.string().meta({ examples: ['Test card'] });
const description = z.string().meta({ examples: ['Four seconds'] });

interface OfVideo {
  readonly videoId: string;
  readonly ownerId: string;
  /** Absent: public. */
  readonly visibility?: Visibility;
}

/** The topics of an event that everyone may see who may see the video. */
function topicsOfVisible({ videoId, ownerId, visibility }: OfVideo): string[] {
  return visibility === 'private' ? [topicOfUser(ownerId)] : [topicOfVideo(videoId), topicOfUser(ownerId)];
}

/** The topics of an event by which a video enters or leaves the feed. */
function topicsOfListed(video: OfVideo): string[] {
  const { visibility = 'public' } = video;
  return visibility === 'public' ? ['feed', ...topicsOfVisible(video)] : topicsOfVisible(video);
}

/** Events of a video that only its owner can watch. */
const toItsOwner = {
  audience: ['`me` (the owner)'],
  topics: ({ ownerId }: { readonly ownerId: string }) => [topicOfUser(ownerId)],
};

const moderatorsReason = z
  .string()
  .meta({ description: 'Why, from the moderator. Only its owner gets it.', examples: ['Shows a phone number.'] });

function withReasonForOwner(
  { videoId, ownerId, reason }: (VideoHidden | VideoRestored)['data'],
  userId: string | undefined,
): object {
  return { videoId, ...(userId === ownerId && { reason }) };
}

/** No message contains the address of an original. */
export const videoFeed: FeedRules<VideoEvent | UploadBegun> = {
  UploadBegun: NOBODY_HEARS,
  VideoUploaded: {
    ...toItsOwner,
    schema: z
      .object({ ...videoIdField, title, description })
      .meta({ description: 'The caller has uploaded a video. It is being processed.' }),
    view: (data) => ({ videoId: data.videoId, title: data.title, description: data.description }),
  },
  VideoProcessed: {
    audience: ['`feed` (if the video is public)', '`video:<id>` (unless it is private)', '`me` (the owner)'],
    topics: topicsOfListed,
    schema: z
      .object({
        ...videoIdField,
        uploadedBy: z.uuid().meta({ description: 'The id of its owner.', examples: [exampleValues.userId] }),
        ...mediaFactsFields,
      })
      .meta({ description: 'A video is ready to play. A public one is now in the feed.' }),
    view: ({ videoId, ownerId, facts }) => ({ videoId, uploadedBy: ownerId, ...facts }),
  },
  VideoProcessingFailed: {
    ...toItsOwner,
    schema: z
      .object({
        ...videoIdField,
        reason: z
          .string()
          .meta({ description: 'A sentence for the uploader.', examples: ['The video is longer than 60 seconds.'] }),
      })
      .meta({ description: "One of the caller's videos could not be processed." }),
    view: ({ videoId, reason }) => ({ videoId, reason }),
  },
  VideoProcessingRetried: {
    ...toItsOwner,
    schema: z
      .object(videoIdField)
      .meta({ description: "One of the caller's videos that failed is being processed again." }),
    view: ({ videoId }) => ({ videoId }),
  },
  VideoDetailsChanged: {
    audience: ['`video:<id>` (unless the video is private)', '`me` (the owner)'],
    topics: topicsOfVisible,
    schema: z
      .object({ ...videoIdField, title: title.optional(), description: description.optional() })
      .meta({
        description:
          'The title or the description of a video has changed. Only its owner gets the new values; other clients read the video again.',
      }),
    // The video may not be public yet, and anyone who knows its id can subscribe.
    view: (data, userId) =>
      data.ownerId === userId
        ? { videoId: data.videoId, title: data.title, description: data.description }
        : { videoId: data.videoId },
  },
  VideoVisibilityChanged: {
    audience: [
      '`feed` (if a video that is ready enters or leaves the feed)',
      '`video:<id>` (if the video is ready, and no moderator hides it)',
      '`me` (the owner)',
    ],
    topics: ({ videoId, ownerId, visibility, before, isReady, isHidden }) => {
      if (!isReady || isHidden) return [topicOfUser(ownerId)];
      const video = { videoId, ownerId, visibility: 'unlisted' as const };
      return topicsOfListed([visibility, before].includes('public') ? { videoId, ownerId } : video);
    },
    schema: z
      .object({
        ...videoIdField,
        isPublic: z
          .boolean()
          .meta({
            description: 'True: the video is in the feed from now on. False: it is no longer.',
            examples: [true],
          }),
        visibility: z
          .enum(visibilities)
          .optional()
          .meta({ description: 'Only its owner gets it.', examples: ['public'] }),
      })
      .meta({
        description:
          'Who may see a video has changed. Clients that show it read it again: if they may no longer see it, they get 404.',
      }),
    view: ({ videoId, ownerId, visibility }, userId) => ({
      videoId,
      isPublic: visibility === 'public',
      ...(userId === ownerId && { visibility }),
    }),
  },
  VideoFilesMoved: {
    audience: ['`video:<id>` (if everyone may read the files now)', '`me` (the owner)'],
    topics: ({ videoId, ownerId, access }) =>
      topicsOfVisible({ videoId, ownerId, visibility: access === 'public' ? 'public' : 'private' }),
    schema: z
      .object(videoIdField)
      .meta({ description: 'The files of a video have new URLs. Clients that show it read it again.' }),
    view: ({ videoId }) => ({ videoId }),
  },
  VideoLadderMade: {
    ...toItsOwner,
    schema: z
      .object(videoIdField)
      .meta({ description: "One of the caller's videos can be played in several sizes: it has an `hlsUrl`." }),
    view: ({ videoId }) => ({ videoId }),
  },
  VideoStoryboardMade: {
    ...toItsOwner,
    schema: z
      .object(videoIdField)
      .meta({ description: "One of the caller's videos has pictures of its timeline: it has a `storyboardUrl`." }),
    view: ({ videoId }) => ({ videoId }),
  },
  VideoPreviewMade: {
    ...toItsOwner,
    schema: z
      .object(videoIdField)
      .meta({ description: "One of the caller's videos has a silent preview: it has a `previewUrl`." }),
    view: ({ videoId }) => ({ videoId }),
  },
  VideoHidden: {
    audience: ['`feed` (if the video was in it)', '`video:<id>` (if others could see the video)', '`me` (the owner)'],
    topics: (data) => (data.wasPublic ? topicsOfListed(data) : [topicOfUser(data.ownerId)]),
    schema: z
      .object({ ...videoIdField, reason: moderatorsReason.optional() })
      .meta({ description: 'A moderator has hidden a video. For everyone but its owner it no longer exists.' }),
    view: withReasonForOwner,
  },
  VideoRestored: {
    audience: [
      '`feed` (if the video is in it again)',
      '`video:<id>` (if others can see the video)',
      '`me` (the owner)',
    ],
    topics: (data) => (data.isPublic ? topicsOfListed(data) : [topicOfUser(data.ownerId)]),
    schema: z
      .object({ ...videoIdField, reason: moderatorsReason.optional() })
      .meta({ description: 'A video that a moderator had hidden can be seen again.' }),
    view: withReasonForOwner,
  },
  VideoRemoved: {
    ...toItsOwner,
    schema: z
      .object({ ...videoIdField, reason: moderatorsReason })
      .meta({ description: "A moderator has removed one of the caller's videos. It follows `VideoDeleted`." }),
    view: ({ videoId, reason }) => ({ videoId, reason }),
  },
  VideoDeleted: {
    audience: ['`feed` (if the video had been public)', '`video:<id>` (if others could see it)', '`me` (the owner)'],
    topics: (data) => (data.wasPublic ? topicsOfListed(data) : [topicOfUser(data.ownerId)]),
    schema: z.object(videoIdField).meta({ description: 'A video has been deleted.' }),
    view: ({ videoId }) => ({ videoId }),
  },
  VideoTextErased: NOBODY_HEARS,
};
