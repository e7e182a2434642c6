import type { FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import type { VideoViewed } from './events.ts';

const days = ['2025-01-30', '2025-01-31', '2025-02-01'];

/** On each day, each video is viewed a few times or never: by its owner, by others and from an address, also repeatedly. */
export const histories: FeatureHistories<VideoViewed> = ({ userIds, videos }) => {
  const viewer = fc.constantFrom(...userIds.map((id) => `user:${id}`), 'addr:one');
  return videos.flatMap(({ videoId, ownerId }) =>
    days.map((day) =>
      fc.array(viewer, { maxLength: 4 }).map((viewers) => ({
        stream: `views-${videoId}_${day}`,
        events: viewers.map((each, hour) => ({
          type: 'VideoViewed',
          data: {
            videoId,
            ownerId,
            viewer: each,
            // The video became private in the course of the day.
            ...(each === `user:${ownerId}` && hour > 1 && { isPrivate: true as const }),
            at: `${day}T0${hour}:00:00.000Z`,
          },
        })),
      })),
    ),
  );
};
