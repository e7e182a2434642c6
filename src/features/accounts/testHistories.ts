import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { fc } from '../../../tests/support/property.ts';
import type { UserEvent } from './events.ts';

/** Every user registers. Some become admins, and some of these are none later. */
export const histories: FeatureHistories<UserEvent> = ({ userIds }) =>
  userIds.map((userId, n) =>
    fc
      .tuple(moment, fc.array(moment, { maxLength: 3 }))
      .map(([at, changes]) => ({
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
          ...changes.map((at, index) => ({
            type: index % 2 === 0 ? ('AdminGranted' as const) : ('AdminRevoked' as const),
            data: { userId, by: 'command line', at },
          })),
        ],
      })),
  );
