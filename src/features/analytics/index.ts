import { analytics as analyticsProjection } from '../../../projections/analytics.ts';
import { timeline } from '../../../projections/timeline/timeline.ts';
import { defineFeature } from '../feature.ts';
import { replayRoute } from './replay/replayRoute.ts';
import { analyticsRoutes } from './routes.ts';

export { DAY } from './dayRange.ts';
export { replayQuestion } from './replay/replayQuestion.ts';
export { replayViews, type Replay } from './replay/replayViews.ts';
export { counted, viewRuleNamed, viewRuleNames } from './viewRules/index.ts';

/** Views, likes and uploads of a user's videos, by day. */
export const analytics = defineFeature<never>({
  name: 'analytics',
  events: {},
  feed: {},
  projections: [analyticsProjection, timeline],
  tags: { Analytics: 'Views, likes and uploads of your videos, by day.' },
  routes: (context) => [...analyticsRoutes(context), replayRoute(context)],
});
