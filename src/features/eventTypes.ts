import { accountEventTypes, type ReservationEvent, type UserEvent } from './accounts/events.ts';
import type { EventTypeDefinitions } from '../core/eventTypes.ts';
import { likeEventTypes, type LikeEvent } from './likes/events.ts';
import { sessionEventTypes, type SessionEvent } from './sessions/events.ts';
import { uploadEventTypes, videoEventTypes, type UploadBegun, type VideoEvent } from './videos/events.ts';
import { viewEventTypes, type VideoViewed } from './views/events.ts';

/** Every event that can be in the log. */
export type ReelStreamEvent =
  UserEvent | ReservationEvent | SessionEvent | UploadBegun | VideoEvent | LikeEvent | VideoViewed;

/** How each of them lies in the log. A type that is missing here does not compile. */
export const eventTypes = {
  ...accountEventTypes,
  ...sessionEventTypes,
  ...uploadEventTypes,
  ...videoEventTypes,
  ...likeEventTypes,
  ...viewEventTypes,
} as const satisfies Record<ReelStreamEvent['type'], EventTypeDefinitions[string]>;
