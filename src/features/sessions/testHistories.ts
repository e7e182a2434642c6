import { moment, type FeatureHistories } from '../../../tests/support/featureHistories.ts';
import { asUuid } from '../../../tests/support/ids.ts';
import { fc } from '../../../tests/support/property.ts';
import type { SessionEvent } from './events.ts';

const EXPIRES_AT = '2025-03-01T00:00:00.000Z';

/** Each user has a session that is refreshed a few times; some are revoked. */
export const histories: FeatureHistories<SessionEvent> = ({ userIds }) =>
  userIds.map((userId, n) => {
    const sessionId = asUuid('session', n);
    const common = { sessionId, userId };
    return fc
      .tuple(moment, fc.array(moment, { maxLength: 2 }), fc.option(moment), fc.option(fc.constant('Firefox')))
      .map(([at, refreshes, end, userAgent]) => ({
        stream: `session-${sessionId}`,
        events: [
          { type: 'SessionStarted', data: { ...common, expiresAt: EXPIRES_AT, userAgent, generation: 0, at } },
          ...refreshes.map((at) => ({
            type: 'SessionRefreshed' as const,
            data: { ...common, expiresAt: EXPIRES_AT, at },
          })),
          ...(end === null
            ? []
            : [{ type: 'SessionRevoked' as const, data: { ...common, reason: 'logout' as const, at: end } }]),
        ],
      }));
  });
