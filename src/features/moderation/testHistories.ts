import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import { reportReasons, type ModerationEvent } from './events.ts';

/** Some users report some videos, once. Some of these reports are dismissed. */
export const histories: FeatureHistories<ModerationEvent> = ({ userIds, videos }) => [
  ...videos.flatMap(({ videoId, ownerId }) =>
    userIds.map((reporterId) =>
      fc
        .option(fc.tuple(moment, fc.constantFrom(...reportReasons), fc.option(fc.constant('Look at the end.'))))
        .map((report) => ({
          stream: `report-${videoId}_${reporterId}`,
          events: (report === null ? [] : [report]).map(([at, reason, text]) => ({
            type: 'VideoReported' as const,
            data: { videoId, ownerId, reporterId, reason, text, at },
          })),
        })),
    ),
  ),
  ...videos.map(({ videoId, ownerId }) =>
    fc
      .array(moment, { maxLength: 2 })
      .map((moments) => ({
        stream: `reports-${videoId}`,
        events: moments.map((at, n) => ({
          type: 'ReportsDismissed' as const,
          data: { videoId, ownerId, reports: n + 1, by: 'command line', reason: 'Nothing is wrong.', at },
        })),
      })),
  ),
];
