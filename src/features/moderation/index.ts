import { moderation as moderationProjection } from '../../../projections/moderation.ts';
import { NOBODY_HEARS } from '../../realtime/feedDefinition.ts';
import { defineFeature } from '../feature.ts';
import { decisionRoutes } from './decisionRoutes.ts';
import { moderationEventTypes, type ModerationEvent } from './events.ts';
import { reportRoutes } from './reportRoutes.ts';

export { decisionsOnUser, decisionsOnVideo, type Decision } from './decisions.ts';
export { dismissReports, moderateUser, moderateVideo, type UserDecision, type VideoDecision } from './moderate.ts';
export {
  countCases,
  createModerationQueries,
  type CaseState,
  type ModeratedVideo,
  type ModerationQueries,
} from './moderationQueries.ts';
export { moderatorsReason } from './schemas.ts';
export { suspensionOf } from './suspensionOf.ts';
export { withText } from './withText.ts';

/** Reports of videos, and what moderators do about them. */
export const moderation = defineFeature<ModerationEvent>({
  name: 'moderation',
  events: moderationEventTypes,
  // Owners do not hear that they were reported.
  feed: { VideoReported: NOBODY_HEARS, ReportsDismissed: NOBODY_HEARS },
  projections: [moderationProjection],
  tags: { Moderation: 'What admins do about reported videos, and about users.' },
  routes: (context) => [...reportRoutes(context), ...decisionRoutes(context)],
});
