import type pg from 'pg';
import { z } from 'zod';
import { untilMinPosition } from '../http/minPosition.ts';
import { route, type Reply, type Route } from '../http/route.ts';
import type { ProjectionProgress } from '../projecting/progress.ts';
import { analyticsOf } from './analyticsQuery.ts';
import { dayRange } from './dayRange.ts';

export interface AnalyticsRoutesDependencies {
  readonly pool: pg.Pool;
  readonly progress: Pick<ProjectionProgress, 'waitFor'>;
}

const overTime = z.array(z.object({ date: z.iso.date(), count: z.int() }));

const reportSchema = z.object({
  totalViews: z.int(),
  totalLikes: z.int().describe('Likes less unlikes in the range.'),
  totalUploads: z.int(),
  viewsOverTime: overTime.describe('Days with views, in order.'),
  likesOverTime: overTime.describe('Days on which likes and unlikes differ, in order.'),
  topVideos: z
    .array(z.object({ id: z.uuid(), title: z.string(), viewCount: z.int(), likeCount: z.int() }))
    .describe('Five at most, by views in the range, then by likes.'),
  engagementRate: z.number().describe('totalLikes ÷ totalViews × 100, not rounded; 0 without views.'),
});

export function analyticsRoutes({ pool, progress }: AnalyticsRoutesDependencies): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/analytics',
      operationId: 'getAnalytics',
      summary: 'Views, likes and uploads of the caller’s own videos, by the UTC day on which they happened',
      tag: 'Analytics',
      auth: 'required',
      query: z.object({
        startDate: z.string().optional().describe('YYYY-MM-DD, included; from the beginning when absent.'),
        endDate: z.string().optional().describe('YYYY-MM-DD, included; a day past its month’s end means the month’s last day. No end when absent.'),
        videoId: z.uuid().optional().describe('Of this video alone.'),
      }),
      responses: { 200: { description: 'What happened in the range.', data: reportSchema } },
      async handle(request): Promise<Reply> {
        const { user, query } = request;
        const range = dayRange(query);
        if (request.minPosition !== undefined) await untilMinPosition(progress, ['analytics'], request);
        const data = await analyticsOf(pool, { ...range, ownerId: user!.id, videoId: query.videoId });
        return { status: 200, message: 'Analytics retrieved successfully', data };
      },
    }),
  ];
}
