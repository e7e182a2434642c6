import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import type { UserEvent } from './events.ts';

/** Every user registers. */
export const histories: FeatureHistories<UserEvent> = ({ userIds }) =>
  userIds.map((userId, n) =>
    moment.map((at) => ({
      stream: `user-${userId}`,
      events: [
        {
          type: 'UserRegistered',
          data: { userId, name: `Name ${n}`, username: `user${n}`, email: `u${n}@example.org`, passwordHash: 'x', at },
        },
      ],
    })),
  );
