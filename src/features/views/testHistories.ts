import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import type { VideoViewed } from './events.ts';

/** Each video is viewed a few times, or never. */
export const histories: FeatureHistories<VideoViewed> = ({ videos }) =>
  videos.map(({ videoId, ownerId }) =>
    fc
      .array(moment, { maxLength: 5 })
      .map((moments) => ({
        stream: `views-${videoId}_2025-01-30`,
        events: moments.map((at, n) => ({ type: 'VideoViewed', data: { videoId, ownerId, viewer: `user:${n}`, at } })),
      })),
  );
