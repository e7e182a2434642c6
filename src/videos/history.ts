import { z } from 'zod';
import type { RecordedEvent } from '../core/event.ts';
import type { VideoEvent } from './events.ts';

export const historyEntrySchema = z.object({
  type: z.string().describe('What happened.'),
  at: z.iso.datetime().describe('When it happened.'),
  revision: z.int().describe('Its place in the history of the video, from 0.'),
  position: z.string().describe('Its place in the whole log.'),
  data: z.record(z.string(), z.unknown()),
});

export type HistoryEntry = z.infer<typeof historyEntrySchema>;

/** An event of a video as its owner may see it: without the keys under which objects are stored. */
export function historyOf(event: RecordedEvent<VideoEvent>): HistoryEntry {
  const { type, data, revision, position } = event;
  return { type, at: data.at, revision, position: String(position), data: publicData(event) };
}

function publicData({ type, data }: VideoEvent): Record<string, unknown> {
  switch (type) {
    case 'VideoUploaded':
      return { title: data.title, description: data.description, size: data.original.size, ...data.facts };
    case 'VideoProcessed':
      return { size: data.video.size, ...data.facts };
    case 'VideoProcessingFailed':
      return { reason: data.reason };
    case 'VideoDetailsChanged':
      return { title: data.title, description: data.description };
    case 'VideoDeleted':
      return {};
  }
}
