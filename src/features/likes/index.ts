import { likes as likesProjection } from '../../../projections/likes.ts';
import { defineFeature } from '../feature.ts';
import { likeEventTypes, type LikeEvent } from './events.ts';
import { likeFeed } from './feed.ts';
import { likeRoutes } from './routes.ts';

/** Likes on videos. */
export const likes = defineFeature<LikeEvent>({
  name: 'likes',
  events: likeEventTypes,
  feed: likeFeed,
  projections: [likesProjection],
  routes: likeRoutes,
});
