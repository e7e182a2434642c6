import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { videoNotFound } from './decider.ts';

/** Accepts any text: text that cannot be an id gets 404, not 400. */
export const videoIdParams = z.object({
  videoId: z.string().meta({ description: 'The id of the video.', format: 'uuid', examples: [exampleValues.videoId] }),
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A video's id as in streams and rows. @throws DomainError `video_not_found` for text that cannot be an id */
export function videoIdOf({ videoId }: { readonly videoId: string }): string {
  if (!UUID.test(videoId)) throw videoNotFound();
  return videoId.toLowerCase();
}
