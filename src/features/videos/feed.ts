import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { NOBODY_HEARS, topicOfUser, type FeedRules, type FeedTopic } from '../../realtime/feedDefinition.ts';
import type { UploadBegun, VideoEvent } from './events.ts';
import { mediaFactsFields } from './mediaFactsFields.ts';

export const videoTopics: readonly FeedTopic[] = [
  {
    name: 'feed',
    schema: z.literal('feed'),
    description:
      '`feed` has events that everybody may see: videos that become ready to play, and deleted public videos.',
  },
  {
    name: 'video:<id>',
    schema: z.templateLiteral(['video:', z.uuid()]),
    description: '`video:<id>` has all events of one video.',
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

/** Events of a video that only its owner can watch. */
const toItsOwner = {
  audience: ['`me` (the owner)'],
  topics: ({ ownerId }: { readonly ownerId: string }) => [topicOfUser(ownerId)],
};

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
    audience: ['`feed`', '`video:<id>`', '`me` (the owner)'],
    topics: ({ videoId, ownerId }) => ['feed', topicOfVideo(videoId), topicOfUser(ownerId)],
    schema: z
      .object({
        ...videoIdField,
        uploadedBy: z.uuid().meta({ description: 'The id of its owner.', examples: [exampleValues.userId] }),
        ...mediaFactsFields,
      })
      .meta({ description: 'A video is ready to play and is now in the feed.' }),
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
    audience: ['`video:<id>`', '`me` (the owner)'],
    topics: ({ videoId, ownerId }) => [topicOfVideo(videoId), topicOfUser(ownerId)],
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
  VideoDeleted: {
    audience: ['`feed` and `video:<id>` (if the video had been public)', '`me` (the owner)'],
    topics: ({ videoId, ownerId, wasPublic }) =>
      wasPublic ? ['feed', topicOfVideo(videoId), topicOfUser(ownerId)] : [topicOfUser(ownerId)],
    schema: z.object(videoIdField).meta({ description: 'A video has been deleted.' }),
    view: ({ videoId }) => ({ videoId }),
  },
};
