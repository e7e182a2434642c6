import { analytics as analyticsProjection } from '../../../projections/analytics.ts';
import { defineFeature } from '../feature.ts';
import { analyticsRoutes } from './routes.ts';

/** What happened to one's videos, day by day. */
export const analytics = defineFeature<never>({
  name: 'analytics',
  events: {},
  feed: {},
  projections: [analyticsProjection],
  tags: { Analytics: 'What happened to your videos, day by day.' },
  routes: analyticsRoutes,
});
