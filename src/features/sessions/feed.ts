import { z } from 'zod';
import { NOBODY_HEARS, topicOfUser, type FeedRule, type FeedRules } from '../../realtime/feedDefinition.ts';
import type { SessionEvent, SessionRevoked, SessionStarted } from './events.ts';

const toTheUser: Pick<FeedRule<SessionStarted | SessionRevoked>, 'audience' | 'topics' | 'view'> = {
  audience: ['`me` (the user)'],
  topics: ({ userId }) => [topicOfUser(userId)],
  view: ({ sessionId }) => ({ sessionId }),
};
const sessionIdField = { sessionId: z.uuid().meta({ examples: ['01980a41-7d2c-7b1e-9f60-3c5d8a2e4b71'] }) };

export const sessionFeed: FeedRules<SessionEvent> = {
  SessionStarted: { ...toTheUser, schema: z.object(sessionIdField).meta({ description: 'You logged in.' }) },
  SessionRefreshed: NOBODY_HEARS,
  SessionRevoked: { ...toTheUser, schema: z.object(sessionIdField).meta({ description: 'A session of yours ended.' }) },
};
