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

  const renew = async (): Promise<boolean> => {
    const { video: now } = await readVideo(latest.id, { counted: false });
    // Nothing else: the answer may be from before a like that was sent meanwhile.
    changeVideo(latest.id, (watched) => ({ ...watched, video: { ...watched.video, ...filesOf(now) } }));
    setFirst(now);
    return now.url !== shown.url;
  };
  return { video: { ...latest, ...filesOf(shown) }, renew };
}

const filesOf = ({ url, hlsUrl, thumbnailUrl, storyboardUrl }: Video) => ({ url, hlsUrl, thumbnailUrl, storyboardUrl });

function fileOf({ url }: Video): string | null {
  return url === null ? null : withoutSignature(url);
}
