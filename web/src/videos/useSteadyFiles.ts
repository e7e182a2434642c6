import { useState } from 'react';
import type { Video } from '../api/types.ts';

/**
 * A video with the addresses of its files as they were when it was first shown, so that it goes on playing: signed addresses differ
 * in each answer. When its files have moved, it has the new ones.
 */
export function useSteadyFiles(latest: Video): Video {
  const [first, setFirst] = useState(latest);
  const shown = pathOf(first.url) === pathOf(latest.url) ? first : latest;
  if (shown !== first) setFirst(latest);
  const { url, hlsUrl, thumbnailUrl, storyboardUrl } = shown;
  return { ...latest, url, hlsUrl, thumbnailUrl, storyboardUrl };
}

/** What is signed is behind the path. */
function pathOf(url: string | null): string | null {
  return url === null ? null : new URL(url, location.origin).pathname;
}
