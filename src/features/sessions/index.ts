import { sessions as sessionsProjection } from '../../../projections/sessions.ts';
import { defineFeature } from '../feature.ts';
import { sessionEventTypes, type SessionEvent } from './events.ts';
import { sessionFeed } from './feed.ts';
import { ownSessionRoutes } from './ownSessionRoutes.ts';
import { sessionRoutes } from './routes.ts';

export { endSessionsOf } from './endSessions.ts';
export { createRevocations, followRevocations, type Revocations } from './revocations.ts';
export { createTokens, type TokenOptions } from './tokens.ts';

/** Log in, stay logged in, log out, and end sessions from another one. */
export const sessions = defineFeature<SessionEvent>({
  name: 'sessions',
  events: sessionEventTypes,
  feed: sessionFeed,
  projections: [sessionsProjection],
  routes: (context) => [...sessionRoutes(context), ...ownSessionRoutes(context)],
});
