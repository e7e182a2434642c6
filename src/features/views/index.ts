import { defineFeature } from '../feature.ts';
import { viewEventTypes, type VideoViewed } from './events.ts';
import { viewFeed } from './feed.ts';

export type { VideoViewed } from './events.ts';
export { createViewRecorder } from './viewRecorder.ts';

/** Views of videos. `GET /api/v1/video/:videoId` records them. */
export const views = defineFeature<VideoViewed>({ name: 'views', events: viewEventTypes, feed: viewFeed });
