import { defineFeature } from '../feature.ts';
import { eventLogRoutes } from './routes.ts';

export { filterFields, logFilterOf, matcherOf, type LogFilter } from './logFilter.ts';
export { readLog } from './readLog.ts';

/** The event log for admins, without personal data. The command line uses it too. */
export const eventLog = defineFeature<never>({
  name: 'eventLog',
  events: {},
  feed: {},
  tags: { Operators: 'Look into the system and run it, as an admin.' },
  routes: eventLogRoutes,
});
