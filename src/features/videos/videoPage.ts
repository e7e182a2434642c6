import { digestOf, type CachedReply } from '../../cache/cachedReply.ts';
import type { CachedForm } from '../../cache/queryCache.ts';
import { PreparedBytes } from '../../http/reply/preparedBytes.ts';
import { envelope } from './envelope.ts';
import { videoEtag } from './etag.ts';
import type { VideoWithNeighbours } from './videoQueries.ts';

/**
 * A video as it is answered. Viewers differ only in whether they like it, so there are two answers. Each is made when it
 * is first asked for.
 */
export class VideoPage {
  readonly found: VideoWithNeighbours;
  readonly #replies: { liked?: CachedReply; notLiked?: CachedReply } = {};

  constructor(found: VideoWithNeighbours) {
    this.found = found;
  }

  reply(isLiked: boolean): CachedReply {
    return (this.#replies[isLiked ? 'liked' : 'notLiked'] ??= this.#make(isLiked));
  }

  #make(isLiked: boolean): CachedReply {
    const { video, revision, prev, next } = this.found;
    const bytes = envelope('Video retrieved successfully', {
      video,
      prev: prev && { id: prev },
      next: next && { id: next },
      isLiked,
    });
    return { bytes: new PreparedBytes(bytes), etag: videoEtag(revision, digestOf(bytes)) };
  }
}

/** What all viewers share contains nothing about any of them. */
export const videoPageForm: CachedForm<VideoPage> = {
  encode: ({ found }) => Buffer.from(JSON.stringify(found)),
  decode: (bytes) => new VideoPage(JSON.parse(bytes.toString()) as VideoWithNeighbours),
  // Title and description are the only long texts. They are here three times, in up to three bytes a character.
  sizeOf: ({ found: { video } }) => 4_000 + 9 * (video.title.length + video.description.length),
};
