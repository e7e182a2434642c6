import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { JOB_CURSOR } from '../../jobs/jobList.ts';
import type { ApiContext } from '../feature.ts';
import { jobSchema, jobStates, jobView } from './jobSchema.ts';

const access = { tag: 'Operators', auth: 'required', role: 'admin' } as const;
const count = z
  .int32()
  .min(0)
  .meta({ examples: [0] });

export function jobRoutes(context: ApiContext): Route[] {
  return [listJobs(context), retryJob(context)];
}

function listJobs(context: ApiContext): Route {
  return route({
    ...access,
    method: 'get',
    path: '/api/v1/admin/jobs',
    operationId: 'listJobs',
    summary: 'List the jobs',
    description:
      'What the workers have to do, do now and have done, the newest first. Finished jobs are kept for a day, failed ones for a week.',
    query: z.object({
      state: z.enum(jobStates).optional().meta({ description: 'Only jobs in this state.' }),
      queue: z
        .string()
        .optional()
        .meta({ description: 'Only jobs of this queue.', examples: ['process'] }),
      cursor: z
        .string()
        .regex(JOB_CURSOR, 'must be the nextCursor of a page')
        .optional()
        .meta({ description: 'The `nextCursor` of the page before.' }),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(200)
        .default(50)
        .meta({ description: 'How many jobs a page may have.' }),
    }),
    responses: {
      200: {
        description: 'One page of the jobs.',
        message: 'Jobs retrieved successfully',
        data: z.array(jobSchema),
        meta: z.object({
          nextCursor: z
            .string()
            .nullable()
            .meta({ description: 'Null on the last page.', examples: [null] }),
          counts: z
            .object({ waiting: count, running: count, failed: count, done: count, cancelled: count })
            .meta({ description: 'Of all jobs, whatever the filter.' }),
        }),
      },
    },
    async handle({ query }): Promise<Reply> {
      const { jobs, nextCursor } = await context.jobList.page(query);
      const meta = { nextCursor: nextCursor ?? null, counts: await context.jobList.counts() };
      return { status: 200, message: 'Jobs retrieved successfully', meta, data: jobs.map(jobView) };
    },
  });
}

function retryJob(context: ApiContext): Route {
  return route({
    ...access,
    method: 'post',
    path: '/api/v1/admin/jobs/:id/retry',
    operationId: 'retryJob',
    summary: 'Run a failed job again',
    description:
      'A video whose processing failed is processed again as when its owner retries it, by a new job; the quota of the owner does not refuse it. Any other failed job is put back into its queue.',
    params: z.object({
      id: z
        .string()
        .meta({ description: 'The id of the job.', format: 'uuid', examples: [exampleValues.newerVideoId] }),
    }),
    responses: {
      202: {
        description: 'The job will run.',
        message: 'The job will run again',
        data: z.object({
          id: z
            .uuid()
            .meta({
              description: 'Of the job that will run: a new one, or the same.',
              examples: [exampleValues.videoId],
            }),
        }),
      },
      404: {
        description: 'There is no such job, or its video was deleted (`video_not_found`).',
        code: 'job_not_found',
      },
      409: {
        description: 'The job has not failed, or its video has been retried since (`not_failed`).',
        code: 'job_not_failed',
      },
    },
    async handle({ params, context: command }): Promise<Reply> {
      const { id, appended } = await context.jobList.retry(params.id, command);
      return {
        status: 202,
        message: 'The job will run again',
        data: { id },
        ...(appended !== undefined && { appended }),
      };
    },
  });
}
