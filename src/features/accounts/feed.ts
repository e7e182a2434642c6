import { z } from 'zod';
import { NOBODY_HEARS, topicOfUser, type FeedRule, type FeedRules } from '../../realtime/feedDefinition.ts';
import type { ReservationEvent, UserEvent } from './events.ts';

/** Tells the user's other devices. No message has the name, the e-mail or the password. */
const toThemselves: Pick<FeedRule, 'audience' | 'topics' | 'view'> = {
  audience: ['`me` (the user)'],
  topics: (data) => [topicOfUser((data as { readonly userId: string }).userId)],
  view: () => ({}),
};
const nothing = (description: string): FeedRule => ({ ...toThemselves, schema: z.object({}).meta({ description }) });

export const accountFeed: FeedRules<UserEvent | ReservationEvent> = {
  UserRegistered: NOBODY_HEARS,
  RegistrationAbandoned: NOBODY_HEARS,
  NameChanged: nothing('You have another name. Refresh the access token to get it.'),
  UsernameChanged: nothing('You have another username. Refresh the access token to get it.'),
  EmailChanged: nothing('You have another e-mail address. Refresh the access token to get it.'),
  ProfileChangeAbandoned: NOBODY_HEARS,
  PasswordChanged: nothing('You have another password. All sessions but the one that changed it have ended.'),
  OtherSessionsRevoked: nothing('All your sessions but the one that asked for it have ended.'),
  UserSuspended: nothing('Your account is suspended. All your sessions have ended.'),
  UserReinstated: NOBODY_HEARS,
  AdminGranted: NOBODY_HEARS,
  AdminRevoked: NOBODY_HEARS,
  UserForgotten: nothing('Your account is deleted. All your sessions have ended.'),
  EmailReserved: NOBODY_HEARS,
  EmailReleased: NOBODY_HEARS,
  UsernameReserved: NOBODY_HEARS,
  UsernameReleased: NOBODY_HEARS,
};
