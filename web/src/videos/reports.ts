import { answerOf, api } from '../api/client.ts';
import type { components } from '../api/schema.d.ts';

export type ReportReason = components['schemas']['Report']['reason'];

/** In the order in which they are offered. */
export const reportReasons: Readonly<Record<ReportReason, string>> = {
  spam: 'Spam or deception',
  violence: 'Violence',
  sexual: 'Sexual content',
  harassment: 'Harassment or private data',
  copyright: 'Somebody else’s work',
  other: 'Something else',
};

/** @returns what the server says: also whether the user had reported it before. */
export async function reportVideo(videoId: string, body: { reason: ReportReason; text: string }): Promise<string> {
  const request = { params: { path: { videoId } }, body };
  return (await answerOf(api.POST('/api/v1/video/{videoId}/reports', request))).message;
}
