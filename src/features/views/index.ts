import { defineFeature } from '../feature.ts';
import { viewEventTypes, type VideoViewed } from './events.ts';
import { viewFeed } from './feed.ts';

export { createViewRecorder, type ViewRecorder } from './viewRecorder.ts';

/** Who watched what. `GET /api/v1/video/:videoId` records the views. */
export const views = defineFeature<VideoViewed>({ name: 'views', events: viewEventTypes, feed: viewFeed });
