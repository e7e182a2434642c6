import { z } from 'zod';
import { counted, eachCount, videoCounts, type Counted } from '../../../projections/videoCounts.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import type { ObjectStore } from '../../objectStore/objectStore.ts';
import type { ExistingVideo } from './decider.ts';
import { mediaFactsFields } from './mediaFactsFields.ts';

const mediaFolder = `https://videos.example.org/media/videos/${exampleValues.videoId}`;

/** A video as clients see it. */
export const videoSchema = z
  .object({
    id: z.uuid().meta({ description: 'Time-ordered (UUID v7).', examples: [exampleValues.videoId] }),
    title: z.string().meta({ examples: ['Test card'] }),
    description: z.string().meta({ examples: ['Four seconds'] }),
    url: z
      .string()
      .nullable()
      .meta({ description: 'Where the MP4 is. Null until the video is ready.', examples: [`${mediaFolder}/5f1c.mp4`] }),
    thumbnailUrl: z
      .string()
      .nullable()
      .meta({
        description: 'Where a JPEG picture of it is. Null until the video is ready.',
        examples: [`${mediaFolder}/a7d0.jpg`],
      }),
    ...eachCount('Count', (what) =>
      z
        .int32()
        .min(0)
        .meta({ examples: [videoCounts[what].example] }),
    ),
    uploadedBy: z.uuid().meta({ description: 'The id of its owner.', examples: [exampleValues.userId] }),
    createdAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    updatedAt: z.iso.datetime().meta({ examples: [exampleValues.updated] }),
    user: z
      .object({
        name: z.string().meta({ examples: ['Ada Lovelace'] }),
        username: z.string().meta({ examples: ['ada'] }),
      })
      .meta({ description: 'Its owner.' }),
    ...mediaFactsFields,
    status: z
      .enum(['processing', 'ready', 'failed'])
      .meta({ description: 'Whether it can be played.', examples: ['ready'] }),
  })
  .meta({ id: 'Video' });

export type VideoView = z.infer<typeof videoSchema>;

export type MediaUrls = Pick<ObjectStore, 'url'>;

/** The numbers in the answer of a video. */
export type VideoCounts = Pick<VideoView, `${Counted}Count`>;

const countFields = counted.map((what) => ({ field: `${what}Count`, column: `${what}_count` }) as const);

/** The numbers of a row of `videos.counts`. A video without a row has zeros. */
export function countsOf(row: Partial<Record<`${Counted}_count`, bigint | null>> = {}): VideoCounts {
  const counts = {} as VideoCounts;
  for (const { field, column } of countFields) counts[field] = Number(row[column] ?? 0);
  return counts;
}

/**
 * A video as its own stream tells it, for the answer to a command that may be ahead of the read model. Counts are not in
 * that stream.
 */
export function viewOfState(
  video: ExistingVideo,
  user: VideoView['user'],
  urls: MediaUrls,
  counts: VideoCounts,
): VideoView {
  if (video.status === 'deleted') throw new Error(`video ${video.id} is deleted: nobody may see it`);
  return {
    id: video.id,
    title: video.title,
    description: video.description,
    url: video.video === undefined ? null : urls.url(video.video.key),
    thumbnailUrl: video.thumbnail === undefined ? null : urls.url(video.thumbnail.key),
    ...counts,
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
