import { useState } from 'react';
import type { Video } from '../api/types.ts';
import { withoutSignature } from '../player/mediaUrl.ts';
import { changeVideo, readVideo } from './videoQueries.ts';

export interface SteadyFiles {
  readonly video: Video;
  /**
   * Asks for new addresses, since signed ones end after an hour.
   * @returns whether they differ from those before.
   */
  renew(): Promise<boolean>;
}

/**
 * A video with the addresses of its files as they were when it was first shown, so that it goes on playing: signed addresses differ
 * in later answers. When its files have moved, it has the new ones.
 */
export function useSteadyFiles(latest: Video): SteadyFiles {
  const [first, setFirst] = useState(latest);
  const shown = fileOf(first) === fileOf(latest) ? first : latest;
  if (shown !== first) setFirst(latest);
  const { url, hlsUrl, thumbnailUrl, storyboardUrl } = shown;

  const renew = async (): Promise<boolean> => {
    const now = await readVideo(latest.id, { counted: false });
    changeVideo(latest.id, () => now);
    setFirst(now.video);
    return now.video.url !== url;
  };
  return { video: { ...latest, url, hlsUrl, thumbnailUrl, storyboardUrl }, renew };
}

function fileOf({ url }: Video): string | null {
  return url === null ? null : withoutSignature(url);
}
