import { z } from 'zod';
import { topicOfUser, type FeedRule, type FeedRules } from '../../realtime/feedDefinition.ts';
import { topicOfVideo, videoIdField } from '../videos/index.ts';
import type { LikeEvent } from './events.ts';

/** No message says who likes a video. */
const common: Pick<FeedRule<LikeEvent>, 'topics' | 'view'> = {
  topics: ({ videoId, ownerId, userId, isPrivate = false }) => [
    ...(isPrivate ? [] : [topicOfVideo(videoId)]),
    topicOfUser(ownerId),
    topicOfUser(userId),
  ],
  view: ({ videoId }) => ({ videoId }),
};

export const likeFeed: FeedRules<LikeEvent> = {
  VideoLiked: {
    ...common,
    audience: ['`video:<id>` (unless the video is private)', '`me` (the owner, and the user who likes it)'],
    schema: z.object(videoIdField).meta({ description: 'Somebody likes a video.' }),
  },
  VideoUnliked: {
    ...common,
    audience: ['`video:<id>` (unless the video is private)', '`me` (the owner, and the user who liked it)'],
    schema: z.object(videoIdField).meta({ description: 'Somebody no longer likes a video.' }),
  },
};
