import { z } from 'zod';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { analytics } from '../../../projections/analytics.ts';
import { analyticsOf } from './analyticsQuery.ts';
import { DAY, dayRange } from './dayRange.ts';
import { reportMetaSchema, reportSchema } from './report.ts';

const day = z.string().regex(DAY, 'must be a day like 2025-01-31').optional();

export function analyticsRoutes({ db }: ApiContext): Route[] {
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
          meta: reportMetaSchema,
        },
      },
      async handle(request): Promise<Reply> {
        const { user, query } = request;
        const range = dayRange(query);
        const { report, rule } = await analyticsOf(db, { ...range, ownerId: user.id, videoId: query.videoId });
        return { status: 200, message: 'Analytics retrieved successfully', data: report, meta: { rule } };
      },
    }),
  ];
}
