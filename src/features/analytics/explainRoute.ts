import { z } from 'zod';
import { dailyNumbers } from '../../../projections/analytics.ts';
import { timeline } from '../../../projections/timeline/timeline.ts';
import { DomainError, validationFailed } from '../../core/errors.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import type { ApiContext } from '../feature.ts';
import { asOfMeta, asOfParameter, positionInAnswer, refuseFuture } from './asOf/asOfParameter.ts';
import { createMoments } from './asOf/moments.ts';
import { DAY, dayRange } from './dayRange.ts';
import { explanationOf, timelinePosition } from './explainQuery.ts';
import { reportMetaSchema } from './report.ts';

const LARGEST_POSITION = 2n ** 63n - 1n;

/** The position that the pages are about, and that of the last event of the page before. */
const CURSOR = /^(\d{1,19})-(\d{1,19})$/;

const cursorParameter = z
  .string()
  .regex(CURSOR, 'must be the nextCursor of the page before')
  .transform((text) => {
    const [, position = '', after = ''] = CURSOR.exec(text) ?? [];
    return { position: BigInt(position), after: BigInt(after) };
  })
  .refine(({ position, after }) => after <= position && position <= LARGEST_POSITION, {
    error: 'must be the nextCursor of the page before',
  });

export const explainedSchema = z.array(
  z.object({
    position: positionInAnswer,
    time: z.iso.datetime().meta({ description: 'When the log recorded it.', examples: ['2025-07-14T09:30:00.000Z'] }),
    type: z.string().meta({ examples: ['VideoViewed'] }),
    videoId: z.uuid().meta({ examples: [exampleValues.videoId] }),
    by: z.int32().meta({ description: 'How much it changed the number: an unlike by −1.', examples: [1] }),
  }),
);

const metaSchema = reportMetaSchema.extend({
  count: z
    .int32()
    .meta({ description: 'The number: the sum of `by` over all pages. The same on every page.', examples: [5] }),
  nextCursor: z
    .string()
    .nullable()
    .meta({ description: 'For the next page; null on the last one.', examples: ['1024-870'] }),
  ...asOfMeta,
  position: positionInAnswer.meta({ description: 'The number is as it was at this position of the log.' }),
});

export function explainRoute(context: ApiContext): Route {
  const { db, store, readModels } = context;
  const moments = createMoments(context);

  /** A cursor must not hide events that `timeline` gets later, so it waits for the cursor's position as for any other. */
  async function untilReached(position: bigint, signal: AbortSignal): Promise<bigint> {
    if (position > (await store.head()))
      throw validationFailed([{ path: 'cursor', message: 'cursor must be the nextCursor of the page before' }]);
    await readModels.untilFresh([timeline], { minPosition: position, signal });
    return position;
  }

  /** The answers to commands do not wait for `timeline`, so a client that has just sent one waits here. */
  async function untilNow(minPosition: bigint, signal: AbortSignal): Promise<bigint> {
    const head = await store.head();
    try {
      await readModels.untilFresh([timeline], { minPosition: head, signal });
      return head;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      // Behind or being rebuilt: it answers what it has.
      const passed = await timelinePosition(db);
      return passed > minPosition ? passed : minPosition;
    }
  }

  return route({
    method: 'get',
    path: '/api/v1/analytics/explain',
    operationId: 'explainAnalytics',
    summary: 'List the events behind a number of your videos',
    description:
      'The events behind one number of one day of `/api/v1/analytics`, in the order of the log. Views are `VideoViewed`. Likes are net: each `VideoLiked` counts 1, and each `VideoUnliked` −1, so there can be more events than the number says. An upload counts once the video is ready, under the day of the upload: its event is the `VideoProcessed` that made it ready. All pages are about one position of the log, that of the first page, so events that arrive meanwhile change neither `count` nor the pages. Who viewed or liked is not shown.',
    tag: 'Analytics',
    auth: 'required',
    reads: [timeline],
    query: z.object({
      date: z
        .string()
        .regex(DAY, 'must be a day like 2025-01-31')
        .meta({ description: 'The day (UTC) that the events are counted under, like `2025-07-14`.' }),
      metric: z.enum(dailyNumbers).meta({ description: 'The number.' }),
      videoId: z.guid().optional().meta({ description: 'Of this video only.' }),
      asOf: asOfParameter,
      cursor: cursorParameter
        .optional()
        .meta({ description: '`meta.nextCursor` of the page before. It stands for the time of the first page.' }),
      limit: z.coerce.number().int().min(1).max(1_000).default(100).meta({ description: 'The most events on a page.' }),
    }),
    responses: {
      200: {
        description: 'A page of the events.',
        message: 'Events retrieved successfully',
        data: explainedSchema,
        meta: metaSchema,
      },
    },
    async handle(request): Promise<Reply> {
      const { user, query, signal, minPosition = 0n } = request;
      const { asOf, cursor, limit, videoId } = query;
      if (asOf !== undefined) refuseFuture(asOf, request.context.now);
      const { start: day } = dayRange({ startDate: query.date });

      async function position(): Promise<bigint> {
        if (cursor !== undefined) return untilReached(cursor.position, signal);
        if (asOf !== undefined) return moments.positionAt(asOf, signal);
        return untilNow(minPosition, signal);
      }
      const question = { ownerId: user.id, videoId, day, number: query.metric, position: await position() };
      const { count, rule, facts } = await explanationOf(db, question, {
        after: cursor?.after ?? 0n,
        limit: limit + 1,
      });
      const page = facts.slice(0, limit);
      const nextCursor = facts.length > limit ? `${question.position}-${page.at(-1)!.position}` : null;
      return {
        status: 200,
        message: 'Events retrieved successfully',
        meta: {
          count,
          nextCursor,
          rule,
          ...(asOf !== undefined && { asOf: asOf.toISOString() }),
          position: `${question.position}`,
        },
        data: page.map((fact) => ({ ...fact, time: fact.time.toISOString(), position: `${fact.position}` })),
      };
    },
  });
}
