import type { LiveEvent } from '../live/connection.ts';

/** The id of a video that leaves every list with this event: it was deleted, is hidden by a moderator, or is no longer public. */
export function leftFeed({ type, data }: LiveEvent): string | undefined {
  const isGone =
    type === 'VideoDeleted' ||
    type === 'VideoHidden' ||
    (type === 'VideoVisibilityChanged' && data?.['isPublic'] === false);
  return isGone ? String(data?.['videoId']) : undefined;
}
