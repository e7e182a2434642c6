import { z } from 'zod';
import { videos } from '../../../projections/videos/videos.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { CURSOR, cursorBehind, videoBefore } from './cursor.ts';
import { pendingUploadsOf, progressOfPending } from './processing/pendingUploads.ts';
import { ownStages, WAITING } from './processing/stages.ts';
import { readVideo } from './readVideo.ts';
import { createVideoQueries, type OwnVideo } from './videoQueries.ts';
import { videoSchema } from './videoView.ts';

export const ownVideoSchema = videoSchema
  .extend({
    stage: z
      .enum(ownStages)
      .nullable()
      .meta({
        description:
          'What is done with it at the moment: `waiting` until a worker takes it. Null unless it is processing.',
        examples: ['transcoding'],
      }),
    progress: z
      .int32()
      .min(0)
      .max(100)
      .nullable()
      .meta({
        description:
          'Per cent of the whole way of an upload, as in `uploadProgress-<userId>`. Null unless it is processing.',
        examples: [62],
      }),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why processing failed, for its owner. Null unless it failed.', examples: [null] }),
    moderation: z
      .object({
        state: z
          .enum(['hidden', 'removed'])
          .meta({
            description:
              '`hidden`: nobody but you can see it. `removed`: it is deleted, and its files no longer exist.',
            examples: ['hidden'],
          }),
        reason: z.string().meta({ description: 'Why, from the moderator.', examples: ['Shows a phone number.'] }),
        at: z.iso.datetime().meta({ examples: [exampleValues.updated] }),
      })
      .nullable()
      .meta({ description: 'What a moderator has decided. Null unless the video is hidden or removed.' }),
  })
  .meta({ id: 'OwnVideo' });

type OwnVideoView = z.infer<typeof ownVideoSchema>;

export function mineRoute({ db, objects, store }: ApiContext): Route {
  const queries = createVideoQueries({ db, urls: objects });
  const pending = pendingUploadsOf(db);

  async function withProgress(own: readonly OwnVideo[]): Promise<OwnVideoView[]> {
    const processing = own.filter(({ video }) => video.status === 'processing').map(({ video }) => video.id);
    const progress = await progressOfPending(pending, processing);
    const moderated = await moderationsOf(own);
    return own.map(({ video, failure }) => ({
      ...video,
      ...(video.status === 'processing' ? (progress.get(video.id) ?? WAITING) : { stage: null, progress: null }),
      reason: failure,
      moderation: moderated.get(video.id) ?? null,
    }));
  }

  /** What moderators wrote is only in the log. Few videos are moderated. */
  async function moderationsOf(own: readonly OwnVideo[]): Promise<Map<string, OwnVideoView['moderation']>> {
    const found = own.map(async ({ video: { id }, moderation }) => {
      if (moderation === null) return [];
      const { state } = await readVideo(store, id);
      // A video that was restored a moment ago has none.
      if (state.status === 'none' || state.moderated === undefined) return [];
      const { reason, at } = state.moderated;
      return [[id, { state: moderation, reason, at }] as const];
    });
    return new Map((await Promise.all(found)).flat());
  }

  return route({
    method: 'get',
    path: '/api/v1/video/mine',
    operationId: 'listOwnVideos',
    summary: 'List your own videos',
    description:
      'Your videos of any status and visibility, newest first, with how far their processing is, why it failed, and what a moderator has decided. Videos that a moderator has removed stay in the list, without URLs.',
    tag: 'Videos',
    auth: 'required',
    reads: [videos],
    query: z.object({
      status: videoSchema.shape.status.optional().meta({ description: 'Only videos with this status.' }),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(100)
        .default(20)
        .meta({ description: 'How many videos a page may have.' }),
      cursor: z
        .string()
        .regex(CURSOR, 'must be the nextCursor of a page, or empty')
        .optional()
        .meta({ description: 'The `nextCursor` of the page before, or empty for the first page.' }),
    }),
    responses: {
      200: {
        description: 'A page of your videos.',
        message: 'Videos retrieved successfully',
        data: z.array(ownVideoSchema),
        meta: z.object({
          nextCursor: z
            .string()
            .nullable()
            .meta({ description: 'Null on the last page.', examples: [null] }),
          total: z
            .int32()
            .min(0)
            .meta({ description: 'Videos on all pages.', examples: [7] }),
        }),
      },
    },
    async handle({ user, query: { status, limit, cursor } }): Promise<Reply> {
      const olderThan = cursor ? videoBefore(cursor) : undefined;
      const page = await queries.pageOfOwner(user.id, { status, olderThan, limit });
      return {
        status: 200,
        message: 'Videos retrieved successfully',
        meta: { nextCursor: page.next === undefined ? null : cursorBehind(page.next), total: page.total },
        data: await withProgress(page.videos),
      };
    },
  });
}
