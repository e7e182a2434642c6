import { z } from 'zod';
import type { ObjectStore } from '../objectStore/objectStore.ts';
import type { ExistingVideo } from './decider.ts';

/** A video as clients see it (API.md, Videos). */
export const videoSchema = z
  .object({
    id: z.uuid().describe('Time-ordered (UUID v7).'),
    title: z.string(),
    description: z.string(),
    url: z.string().nullable().describe('Where the MP4 is; null until the video is ready.'),
    thumbnailUrl: z.string().nullable(),
    viewCount: z.int(),
    likeCount: z.int(),
    uploadedBy: z.uuid(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    user: z.object({ name: z.string(), username: z.string() }),
    duration: z.number().describe('Seconds.'),
    width: z.int().describe('Pixels, as shown.'),
    height: z.int(),
    status: z.enum(['processing', 'ready', 'failed']),
  })
  .meta({ id: 'Video' });

export type VideoView = z.infer<typeof videoSchema>;

export type MediaUrls = Pick<ObjectStore, 'url'>;

/**
 * A video as its own stream tells it, for the answer to a command that may be ahead of the read model. Nobody has
 * seen a video before it is ready, so a fresh one has no views and no likes.
 */
export function viewOfState(video: ExistingVideo, user: VideoView['user'], urls: MediaUrls): VideoView {
  if (video.status === 'deleted') throw new Error(`video ${video.id} is deleted: nobody may see it`);
  return {
    id: video.id,
    title: video.title,
    description: video.description,
    url: video.video === undefined ? null : urls.url(video.video.key),
    thumbnailUrl: video.thumbnail === undefined ? null : urls.url(video.thumbnail.key),
    viewCount: 0,
    likeCount: 0,
    uploadedBy: video.ownerId,
    createdAt: video.createdAt,
    updatedAt: video.updatedAt,
    user,
    duration: video.facts.duration,
    width: video.facts.width,
    height: video.facts.height,
    status: video.status,
  };
}
