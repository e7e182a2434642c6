import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { analytics } from '../../../projections/analytics.ts';
import { analyticsOf } from './analyticsQuery.ts';
import { DAY, dayRange } from './dayRange.ts';

const count = z.int32().min(0);
const dayCounts = (example: number) =>
  z.array(
    z.object({ date: z.iso.date().meta({ examples: ['2025-07-14'] }), count: z.int32().meta({ examples: [example] }) }),
  );

export const reportSchema = z.object({
  totalViews: count.meta({ examples: [5] }),
  totalLikes: z.int32().meta({ description: 'Likes minus unlikes in the range. It may be below zero.', examples: [3] }),
  totalUploads: count.meta({ examples: [1] }),
  viewsOverTime: dayCounts(5).meta({ description: 'Days with views, in order.' }),
  likesOverTime: dayCounts(3).meta({ description: 'Days on which likes and unlikes differ, in order.' }),
  topVideos: z
    .array(
      z.object({
        id: z.uuid().meta({ examples: [exampleValues.videoId] }),
        title: z.string().meta({ examples: ['Test card'] }),
        viewCount: count.meta({ examples: [5] }),
        likeCount: z.int32().meta({ examples: [3] }),
      }),
    )
    .max(5)
    .meta({ description: 'Five at most, by views in the range, then by likes.' }),
  engagementRate: z
    .number()
    .meta({ description: 'totalLikes ÷ totalViews × 100, not rounded; 0 without views.', examples: [60] }),
});

const day = z.string().regex(DAY, 'must be a day like 2025-01-31').optional();

export function analyticsRoutes({ pool }: ApiContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/analytics',
      operationId: 'getAnalytics',
      summary: 'Get the numbers of your videos',
      description:
        'Views, likes and uploads of the caller’s own videos, by the day (UTC) on which they happened. `startDate` must not be after `endDate`.',
      tag: 'Analytics',
      auth: 'required',
      reads: [analytics],
      query: z.object({
        startDate: day.meta({ description: 'The first day, like `2025-07-01`. Without it, the range has no start.' }),
        endDate: day.meta({
          description:
            'The last day, like `2025-07-31`. Without it, the range has no end. A day after the end of its month (`2025-02-31`) means the last day of the month.',
        }),
        videoId: z.guid().optional().meta({ description: 'Count this video only.' }),
      }),
      responses: {
        200: {
          description: 'The numbers of the range.',
          message: 'Analytics retrieved successfully',
          data: reportSchema,
        },
      },
      async handle(request): Promise<Reply> {
        const { user, query } = request;
        const range = dayRange(query);
        const data = await analyticsOf(pool, { ...range, ownerId: user.id, videoId: query.videoId });
        return { status: 200, message: 'Analytics retrieved successfully', data };
      },
    }),
  ];
}
