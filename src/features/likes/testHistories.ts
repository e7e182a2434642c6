import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import type { LikeEvent } from './events.ts';

/** Each user likes and unlikes each video a few times, or never. */
export const histories: FeatureHistories<LikeEvent> = ({ userIds, videos }) =>
  videos.flatMap(({ videoId, ownerId }) =>
    userIds.map((userId) =>
      fc.array(moment, { maxLength: 4 }).map((moments) => ({
        stream: `like-${videoId}_${userId}`,
        events: moments.map((at, n) => ({
          type: n % 2 === 0 ? 'VideoLiked' : 'VideoUnliked',
          // The video became private in between.
          data: { videoId, userId, ownerId, ...(userId === ownerId && n > 0 && { isPrivate: true as const }), at },
        })),
      })),
    ),
  );
