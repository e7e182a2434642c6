import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { videoNotFound } from './decider.ts';

/** Anything is accepted here: what cannot be an id is 404, not 400. */
export const videoIdParams = z.object({
  videoId: z.string().meta({ description: 'The id of the video.', format: 'uuid', examples: [exampleValues.videoId] }),
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A video's id as streams and rows spell it. @throws DomainError `video_not_found` for what cannot be one. */
export function videoIdOf({ videoId }: { readonly videoId: string }): string {
  if (!UUID.test(videoId)) throw videoNotFound();
  return videoId.toLowerCase();
}
