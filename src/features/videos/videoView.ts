import { z } from 'zod';
import { counted, eachCount, videoCounts, type Counted } from '../../../projections/videoCounts.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import type { ObjectStore } from '../../objectStore/objectStore.ts';
import type { ExistingVideo } from './decider.ts';
import { visibilities, type FilesAccess, type MediaObject } from './events.ts';
import { mediaFactsFields } from './mediaFactsFields.ts';
import { keyNow } from './processing/mediaKeys.ts';

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
    visibility: z
      .enum(visibilities)
      .meta({
        description:
          'Who may watch it: `public`, everyone, and it is in the feed; `unlisted`, everyone who knows its id; `private`, only its owner. The URLs of a private video are signed, and end after an hour: read the video again for new ones.',
        examples: ['public'],
      }),
    hlsUrl: z
      .string()
      .nullable()
      .meta({
        description: 'Where the HLS playlist of all sizes is. Null until it is made, a little later than `url`.',
        examples: [`${mediaFolder}/hls-9c2e/master.m3u8`],
      }),
    storyboardUrl: z
      .string()
      .nullable()
      .meta({
        description: 'Where the pictures of its timeline are, as WebVTT. Null until they are made.',
        examples: [`${mediaFolder}/storyboard-41b7.vtt`],
      }),
    previewUrl: z
      .string()
      .nullable()
      .meta({
        description: 'Where a short silent loop of it is. Null until it is made.',
        examples: [`${mediaFolder}/preview-d06f.mp4`],
      }),
  })
  .meta({ id: 'Video' });

export type VideoView = z.infer<typeof videoSchema>;

export type MediaUrls = Pick<ObjectStore, 'url'>;

/** The keys of a video's objects, as its events name them; null until each is made. */
export interface MediaKeys {
  readonly url: string | null;
  readonly thumbnailUrl: string | null;
  readonly hlsUrl: string | null;
  readonly storyboardUrl: string | null;
  readonly previewUrl: string | null;
}

/** The URLs of a video's objects, as they are for those who may see the video now. */
export function urlsOf(keys: MediaKeys, access: FilesAccess, urls: MediaUrls): MediaKeys {
  const url = (key: string | null): string | null => key && urls.url(keyNow(key, access));
  return {
    url: url(keys.url),
    thumbnailUrl: url(keys.thumbnailUrl),
    hlsUrl: url(keys.hlsUrl),
    storyboardUrl: url(keys.storyboardUrl),
    previewUrl: url(keys.previewUrl),
  };
}

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
  const key = (object: MediaObject | undefined): string | null => object?.key ?? null;
  const keys = {
    url: key(video.video),
    thumbnailUrl: key(video.thumbnail),
    hlsUrl: key(video.extras?.hls?.master),
    storyboardUrl: key(video.extras?.storyboard),
    previewUrl: key(video.extras?.preview),
  };
  return {
    id: video.id,
    title: video.title,
    description: video.description,
    ...urlsOf(keys, video.filesAccess, urls),
    ...counts,
    uploadedBy: video.ownerId,
    createdAt: video.createdAt,
    updatedAt: video.updatedAt,
    user,
    duration: video.facts.duration,
    width: video.facts.width,
    height: video.facts.height,
    status: video.status,
    visibility: video.visibility,
  };
}
