import { z } from 'zod';
import { DomainError } from '../../core/errors.ts';
import { acceptedType } from '../../http/request/accepts.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { analytics } from '../../../projections/analytics.ts';
import { CSV_TYPE, csvExample, csvReply } from './analyticsCsv.ts';
import { analyticsOf } from './analyticsQuery.ts';
import { asOfMeta, asOfParameter, positionInAnswer, refuseFuture } from './asOf/asOfParameter.ts';
import { analyticsAsOf } from './asOf/asOfQuery.ts';
import { createMoments } from './asOf/moments.ts';
import { DAY, dayRange } from './dayRange.ts';
import { explainRoute } from './explainRoute.ts';
import { reportMetaSchema, reportOf, reportSchema } from './report.ts';

const day = z.string().regex(DAY, 'must be a day like 2025-01-31').optional();

export function analyticsRoutes(context: ApiContext): Route[] {
  return [analyticsRoute(context), explainRoute(context)];
}

function analyticsRoute(context: ApiContext): Route {
  const { db } = context;
  const moments = createMoments(context);
  return route({
    method: 'get',
    path: '/api/v1/analytics',
    operationId: 'getAnalytics',
    summary: 'Get the numbers of your videos',
    description:
      'Views, likes and uploads of the caller’s own videos, by the day (UTC) on which they happened. `startDate` must not be after `endDate`. With `asOf`, the numbers, titles and top videos are those of that time; `meta` then says up to which position of the log they count. With `Accept: text/csv`, the answer is a file with one row for each day on which something happened. `/api/v1/analytics/explain` lists the events behind a number.',
    tag: 'Analytics',
    auth: 'required',
    reads: [analytics],
    query: z.object({
      startDate: day.meta({ description: 'The first day, like `2025-07-01`. Without it, the range has no start.' }),
      endDate: day.meta({
        description:
          'The last day, like `2025-07-31`. Without it, the range has no end. A day after the end of its month (`2025-02-31`) means the last day of the month.',
      }),
      videoId: z
        .guid()
        .optional()
        .meta({ description: 'Count this video only. All numbers are 0 if it is not one of the caller’s.' }),
      asOf: asOfParameter,
    }),
    responses: {
      200: {
        description: 'The numbers of the range.',
        message: 'Analytics retrieved successfully',
        data: reportSchema,
        meta: reportMetaSchema.extend({
          ...asOfMeta,
          position: positionInAnswer
            .optional()
            .meta({
              description: 'The last event of the log that was recorded at or before `asOf`; 0 if there is none.',
            }),
        }),
        also: { [CSV_TYPE]: csvExample },
      },
      406: { description: '`Accept` allows neither JSON nor CSV.', code: 'not_acceptable' },
    },
    async handle(request): Promise<Reply> {
      const { user, query, signal } = request;
      const { asOf, videoId } = query;
      const wanted = acceptedType(request.raw, ['application/json', 'text/csv']);
      if (wanted === undefined)
        throw new DomainError(
          'notAcceptable',
          'not_acceptable',
          'This is available as application/json and as text/csv: send one of them in Accept.',
        );
      const question = { ...dayRange(query), ownerId: user.id, videoId };
      if (asOf !== undefined) refuseFuture(asOf, request.context.now);
      const position = asOf && (await moments.positionAt(asOf, signal));
      const numbers = await (position === undefined
        ? analyticsOf(db, question)
        : analyticsAsOf(db, question, position));
      const headers = { Vary: 'Origin, Accept' };
      if (wanted === 'text/csv') {
        const reply = csvReply(numbers.days, query);
        return { ...reply, headers: { ...reply.headers, ...headers } };
      }
      const { rule } = numbers;
      const meta = asOf === undefined ? { rule } : { rule, asOf: asOf.toISOString(), position: `${position}` };
      return { status: 200, message: 'Analytics retrieved successfully', meta, data: reportOf(numbers), headers };
    },
  });
}
