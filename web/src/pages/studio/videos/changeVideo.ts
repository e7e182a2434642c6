import { ApiError } from '../../../api/apiError.ts';
import { answerOf, api } from '../../../api/client.ts';
import type { OwnVideo } from './ownVideos.ts';

/** What its owner may change. */
export type Details = Pick<OwnVideo, 'title' | 'description' | 'visibility'>;

const DETAILS = ['title', 'description', 'visibility'] as const;

/** A video as it was read, and the tag of that version. */
export interface Versioned {
  readonly video: OwnVideo;
  readonly etag: string;
}

/**
 * Changes a video if its details are still those that the user saw. Other changes of it, such as the end of its processing,
 * are no reason to refuse.
 * @param read reads the current version
 * @throws ApiError `precondition_failed` when somebody else changed the details
 */
export async function changeVideo(
  seen: Versioned,
  edits: Partial<Details>,
  read: () => Promise<Versioned>,
): Promise<void> {
  const changes = Object.fromEntries(
    DETAILS.filter((key) => key in edits && edits[key] !== seen.video[key]).map((key) => [key, edits[key]]),
  );
  try {
    await patch(seen, changes);
  } catch (error) {
    if (!changedElsewhere(error)) throw error;
    const now = await read();
    if (DETAILS.some((key) => now.video[key] !== seen.video[key])) throw error;
    await patch(now, changes);
  }
}

export function changedElsewhere(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'precondition_failed';
}

async function patch({ video, etag }: Versioned, changes: Partial<Details>): Promise<void> {
  await answerOf(
    api.PATCH('/api/v1/video/{videoId}', {
      params: { path: { videoId: video.id }, header: { 'If-Match': etag } },
      body: changes as Required<Details>,
    }),
  );
}
