import { z } from 'zod';
import type { RecordedEvent } from '../../core/event.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import type { VideoEvent } from './events.ts';

export const historyEntrySchema = z.object({
  position: z.string().meta({ description: 'Its place in the whole log.', examples: [exampleValues.position] }),
  revision: z
    .int32()
    .min(0)
    .meta({ description: 'Its place in the history of the video, from 0.', examples: [2] }),
  type: z.string().meta({ description: 'The type of the event.', examples: ['VideoDetailsChanged'] }),
  time: z.iso.datetime().meta({ description: 'When it happened, UTC.', examples: [exampleValues.updated] }),
  data: z
    .record(z.string(), z.unknown())
    .meta({ description: 'What changed.', examples: [{ title: 'Test card', description: 'Four seconds' }] }),
});

export type HistoryEntry = z.infer<typeof historyEntrySchema>;

/** An event of a video for its owner or an admin, without the keys of stored objects. */
export function historyOf(event: RecordedEvent<VideoEvent>): HistoryEntry {
  const { type, data, revision, position } = event;
  return { position: String(position), revision, type, time: data.at, data: publicData(event) };
}

function publicData({ type, data }: VideoEvent): Record<string, unknown> {
  switch (type) {
    case 'VideoUploaded':
      return {
        title: data.title,
        description: data.description,
        visibility: data.visibility,
        size: data.original.size,
        ...data.facts,
      };
    case 'VideoProcessed':
      return { size: data.video.size, ...data.facts };
    case 'VideoProcessingFailed':
      return { reason: data.reason };
    case 'VideoDetailsChanged':
      return { title: data.title, description: data.description };
    case 'VideoVisibilityChanged':
      return { visibility: data.visibility };
    case 'VideoFilesMoved':
      return { access: data.access };
    case 'VideoLadderMade':
      return { renditions: data.hls.renditions, size: data.hls.bytes };
    case 'VideoStoryboardMade':
      return { size: data.storyboard.size + data.pictures.size };
    case 'VideoPreviewMade':
      return { size: data.preview.size };
    case 'VideoHidden':
    case 'VideoRestored':
    case 'VideoRemoved':
      return { reason: data.reason };
    case 'VideoProcessingRetried':
    case 'VideoDeleted':
    case 'VideoTextErased':
      return {};
  }
}
