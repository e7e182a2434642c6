import { z } from 'zod';
import { exampleValues } from '../../http/documents/exampleValues.ts';
import type { Job } from '../../jobs/jobRow.ts';

export const jobStates = ['waiting', 'running', 'failed', 'done', 'cancelled'] as const;

const time = (description?: string) =>
  z.iso
    .datetime()
    .nullable()
    .meta({ ...(description && { description }), examples: [exampleValues.updated] });
const ms = (example: number, description: string) =>
  z
    .number()
    .min(0)
    .nullable()
    .meta({ description, examples: [example] });

export const jobSchema = z
  .object({
    id: z
      .uuid()
      .meta({ description: 'The id of the event that led to it, as a rule.', examples: [exampleValues.newerVideoId] }),
    queue: z.string().meta({ examples: ['process'] }),
    state: z
      .enum(jobStates)
      .meta({
        description:
          '`failed`: it is not tried again, because it failed or was killed too often, or because its file is at fault. `waiting`: also between two attempts.',
        examples: ['failed'],
      }),
    videoId: z
      .uuid()
      .nullable()
      .meta({ description: 'Null for a job that is about no video.', examples: [exampleValues.videoId] }),
    ownerId: z
      .string()
      .nullable()
      .meta({ description: 'The user whose turn it takes.', examples: [exampleValues.userId] }),
    attempts: z
      .int32()
      .min(0)
      .meta({ description: 'Those that have begun.', examples: [1] }),
    error: z
      .string()
      .nullable()
      .meta({
        description: 'Why it failed. While it waits or runs: why its last attempt failed.',
        examples: ['The video cannot be decoded: it is damaged.'],
      }),
    createdAt: z.iso.datetime().meta({ examples: [exampleValues.created] }),
    startedAt: time('Of the last attempt.'),
    endedAt: time('Null until it is not tried again.'),
    waitedMs: ms(15, 'How long the last attempt waited after it was due, in milliseconds.'),
    tookMs: ms(1_840, 'How long the last attempt has taken. Null while it waits.'),
  })
  .meta({ id: 'Job', description: 'A piece of work, such as transcoding a video.' });

export function jobView(job: Job): z.infer<typeof jobSchema> {
  const { id, queue, state, ownerId, about, attempts, error, createdAt, startedAt, endedAt, waitedMs, tookMs } = job;
  const videoId = about['videoId'];
  return {
    id,
    queue,
    state,
    videoId: typeof videoId === 'string' ? videoId : null,
    ownerId: ownerId ?? null,
    attempts,
    error: error ?? null,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    waitedMs,
    tookMs: tookMs ?? null,
  };
}
