import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import type { UserEvent } from './events.ts';

/** Every user registers. Some change their profiles, some become admins, and some of these are none later. Some are forgotten. */
export const histories: FeatureHistories<UserEvent> = ({ userIds }) =>
  userIds.map((userId, n) =>
    fc
      .tuple(
        moment,
        fc.array(change(userId, n), { maxLength: 3 }),
        fc.array(moment, { maxLength: 3 }),
        fc.option(moment, { freq: 3 }),
      )
      .map(([at, profile, changes, forgottenAt]) => ({
        stream: `user-${userId}`,
        events: [
          {
            type: 'UserRegistered',
            data: {
              userId,
              name: `Name ${n}`,
              username: `user${n}`,
              email: `u${n}@example.org`,
              passwordHash: 'x',
              at,
            },
          },
          ...profile,
          ...changes.map((at, index) => ({
            type: index % 2 === 0 ? ('AdminGranted' as const) : ('AdminRevoked' as const),
            data: { userId, by: 'command line', at },
          })),
          ...(forgottenAt === null ? [] : [{ type: 'UserForgotten' as const, data: { userId, at: forgottenAt } }]),
        ],
      })),
  );

const decided = { by: 'command line', reason: 'Uploads the same video again and again.' };

/** `n` keeps the names of users apart. */
function change(userId: string, n: number): fc.Arbitrary<UserEvent> {
  return fc
    .tuple(
      moment,
      fc.nat({ max: 9 }),
      fc.constantFrom('name', 'username', 'email', 'password', 'sessions', 'abandon', 'suspend', 'reinstate'),
    )
    .map(([at, to, what]): UserEvent => {
      switch (what) {
        case 'name':
          return { type: 'NameChanged', data: { userId, name: `Name ${n}.${to}`, at } };
        case 'username':
          return { type: 'UsernameChanged', data: { userId, username: `user${n}.${to}`, at } };
        case 'email':
          return { type: 'EmailChanged', data: { userId, email: `u${n}.${to}@example.org`, at } };
        case 'password':
          return {
            type: 'PasswordChanged',
            data: { userId, passwordHash: 'y', generation: to, keptSession: null, at },
          };
        case 'sessions':
          return { type: 'OtherSessionsRevoked', data: { userId, generation: to, keptSession: null, at } };
        case 'suspend':
          return { type: 'UserSuspended', data: { userId, ...decided, generation: to, keptSession: null, at } };
        case 'reinstate':
          return { type: 'UserReinstated', data: { userId, ...decided, at } };
        case 'abandon':
          return { type: 'ProfileChangeAbandoned', data: { userId, at } };
      }
    });
}
