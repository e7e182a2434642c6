import { z } from 'zod';
import { moderation } from '../../../projections/moderation.ts';
import { videos } from '../../../projections/videos/videos.ts';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { readUser } from '../accounts/index.ts';
import type { ApiContext } from '../feature.ts';
import { videoIdOf, videoIdParams, videoNotFound } from '../videos/index.ts';
import { decisionsOnVideo } from './decisions.ts';
import { dismissReports, reportVideo } from './moderate.ts';
import { createModerationQueries } from './moderationQueries.ts';
import {
  decidedSchema,
  ownReportSchema,
  reasonBody,
  reportBody,
  reportDetailsSchema,
  reportedVideoSchema,
} from './schemas.ts';
import { suspensionOf } from './suspensionOf.ts';
import { withText } from './withText.ts';

const access = { tag: 'Moderation', auth: 'required', role: 'admin' } as const;
const REPORTS = '/api/v1/admin/reports';

const cursor = z
  .string()
  .regex(/^\d{1,18}$/, 'must be the nextCursor of a page')
  .optional()
  .transform((text) => (text === undefined ? undefined : BigInt(text)))
  .meta({ description: 'The `nextCursor` of the page before.' });
const limit = z.coerce.number().int().min(1).max(100).default(50);
const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'Null on the last page.', examples: [exampleValues.position] });
const count = z
  .int32()
  .min(0)
  .meta({ examples: [1] });
const notFound = { description: 'There is no such video.', code: 'video_not_found' };

export function reportRoutes(context: ApiContext): Route[] {
  return [report(context), listReported(context), showReports(context), dismiss(context)];
}

function report({ store }: ApiContext): Route {
  return route({
    method: 'post',
    path: '/api/v1/video/:videoId/reports',
    operationId: 'reportVideo',
    summary: 'Report a video',
    description:
      'Tells the moderators that something is wrong with a video. Each user reports a video once: a repeat, also with another reason, changes nothing. The owner does not learn who has reported it.',
    tag: 'Videos',
    auth: 'required',
    limit: 'report',
    params: videoIdParams,
    body: reportBody,
    responses: {
      201: { description: 'The report is recorded.', message: 'Video reported successfully', data: ownReportSchema },
      200: {
        description: 'The caller had reported the video before. The first report is in force.',
        message: 'You have reported this video already',
        data: ownReportSchema,
      },
      404: { description: 'There is no such video, or only its owner may see it.', code: 'video_not_found' },
      409: { description: "It is the caller's own video.", code: 'own_video' },
    },
    async handle({ params, body: { reason, text }, user, context }): Promise<Reply> {
      const wanted = { videoId: videoIdOf(params), reporterId: user.id, reason, text: text || null };
      const { state, events, ...appended } = await reportVideo(store, wanted, context);
      const { videoId, reason: inForce, at } = state!;
      const isNew = events.length > 0;
      return {
        status: isNew ? 201 : 200,
        message: isNew ? 'Video reported successfully' : 'You have reported this video already',
        data: { videoId, reason: inForce, at },
        appended,
      };
    },
  });
}

function listReported({ db, objects, store }: ApiContext): Route {
  const queries = createModerationQueries({ db, urls: objects });
  return route({
    ...access,
    method: 'get',
    path: REPORTS,
    operationId: 'listReportedVideos',
    summary: 'List the reported videos',
    description:
      'Videos with reports, those with the newest report first. A decision about a video (dismissing its reports, hiding, restoring or removing it) is on all reports until then; a report after it opens the case again.',
    reads: [moderation, videos],
    query: z.object({
      state: z
        .enum(['open', 'decided'])
        .default('open')
        .meta({ description: '`open`: videos with reports on which nobody has decided.' }),
      cursor,
      limit: limit.meta({ description: 'How many videos a page may have.' }),
    }),
    responses: {
      200: {
        description: 'One page of the reported videos.',
        message: 'Reported videos retrieved successfully',
        data: z.array(reportedVideoSchema),
        meta: z.object({
          nextCursor,
          counts: z
            .object({ open: count, decided: count })
            .meta({ description: 'Of all reported videos, whatever the filter.' }),
        }),
      },
    },
    async handle({ query }): Promise<Reply> {
      const [{ items, next }, counts] = await Promise.all([
        queries.queue({ state: query.state, before: query.cursor, limit: query.limit }),
        queries.queueCounts(),
      ]);
      const meta = { nextCursor: next === undefined ? null : String(next), counts };
      const newest = await withText(
        store,
        items.map((item) => item.newest),
      );
      const data = items.map((item, index) => ({ ...item, newest: newest[index] }));
      return { status: 200, message: 'Reported videos retrieved successfully', meta, data };
    },
  });
}

function showReports({ db, objects, store }: ApiContext): Route {
  const queries = createModerationQueries({ db, urls: objects });
  return route({
    ...access,
    method: 'get',
    path: `${REPORTS}/:videoId`,
    operationId: 'getReportsOfVideo',
    summary: 'Get the reports of a video',
    description:
      'The video, what was reported, and everything that was decided about it, from the log. Also for a video without reports.',
    reads: [moderation, videos],
    params: videoIdParams,
    query: z.object({ cursor, limit: limit.meta({ description: 'How many reports a page may have.' }) }),
    responses: {
      200: {
        description: 'The video, its reports and the decisions.',
        message: 'Reports retrieved successfully',
        data: reportDetailsSchema,
        meta: z.object({ nextCursor }),
      },
      404: notFound,
    },
    async handle({ params, query }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const found = await queries.caseOf(videoId);
      if (found === undefined) throw videoNotFound();
      const { video, counts, isOpen } = found;
      const [{ items, next }, decisions, owner] = await Promise.all([
        queries.reportsOf(videoId, { before: query.cursor, limit: query.limit }),
        decisionsOnVideo(store, videoId),
        readUser(store, video.uploadedBy),
      ]);
      return {
        status: 200,
        message: 'Reports retrieved successfully',
        meta: { nextCursor: next === undefined ? null : String(next) },
        data: {
          video,
          counts,
          isOpen,
          owner: { id: video.uploadedBy, suspended: suspensionOf(owner) },
          reports: await withText(store, items),
          decisions,
        },
      };
    },
  });
}

function dismiss(context: ApiContext): Route {
  const { store, db, objects } = context;
  const queries = createModerationQueries({ db, urls: objects });
  return route({
    ...access,
    method: 'post',
    path: `${REPORTS}/:videoId/dismiss`,
    operationId: 'dismissReports',
    summary: 'Dismiss the reports of a video',
    description:
      'Decides that the video stays as it is. The reason is in the history of the video for moderators; its owner does not hear of it. Without a report since the last decision, nothing changes.',
    params: videoIdParams,
    body: reasonBody,
    responses: {
      200: {
        description: 'The reports are dismissed.',
        message: 'Reports dismissed successfully',
        data: decidedSchema.pick({ videoId: true, state: true }),
      },
      404: notFound,
      409: { description: 'Nobody has reported this video.', code: 'no_reports' },
    },
    async handle({ params, body: { reason }, user, context: command }): Promise<Reply> {
      const videoId = videoIdOf(params);
      const appended = await dismissReports({ store, queries }, videoId, { by: user.id, reason }, command);
      const state = (await queries.caseOf(videoId))?.video.state;
      return { status: 200, message: 'Reports dismissed successfully', data: { videoId, state }, appended };
    },
  });
}
