import type { LiveEvent } from '../live/connection.ts';

/** The id of a video that leaves every list with this event: it was deleted, or is no longer public. */
export function leftFeed({ type, data }: LiveEvent): string | undefined {
  const isGone = type === 'VideoDeleted' || (type === 'VideoVisibilityChanged' && data?.['isPublic'] === false);
  return isGone ? String(data?.['videoId']) : undefined;
}
