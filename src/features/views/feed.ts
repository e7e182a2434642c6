import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { topicOfUser, type FeedRules } from '../../realtime/feedDefinition.ts';
import type { VideoViewed } from './events.ts';

export const viewFeed: FeedRules<VideoViewed> = {
  VideoViewed: {
    audience: ['`video:<id>` (unless the video is private)', '`me` (the owner)'],
    topics: ({ videoId, ownerId, isPrivate = false }) => [
      ...(isPrivate ? [] : [`video:${videoId}`]),
      topicOfUser(ownerId),
    ],
    schema: z
      .object({ videoId: z.uuid().meta({ examples: [exampleValues.videoId] }) })
      .meta({ description: 'A view of a video has been counted.' }),
    // Without the viewer.
    view: ({ videoId }) => ({ videoId }),
  },
};
