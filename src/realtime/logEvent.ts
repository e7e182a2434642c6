import { z } from 'zod';
import type { ShownEvent } from '../core/shownEvent.ts';

const userId = '01980a3c-5b7e-7c41-9d2a-6f1e0b8c4d25';
const videoId = '01980a41-7d93-7a08-8f5b-2c9e4a6d1b30';

/** An event of the log as admins get it, over HTTP, over a socket and from the command line. */
export const logEvent = z.object({
  position: z.string().meta({ description: 'Its place in the whole log, a whole number as text.', examples: ['1024'] }),
  id: z
    .string()
    .meta({ description: 'Its id, unique in the log.', examples: ['01980a45-e1b8-7f27-a6c9-5d04b38f7e61'] }),
  stream: z
    .string()
    .meta({ description: 'Its stream: the category, a hyphen and an id.', examples: [`like-${videoId}_${userId}`] }),
  revision: z
    .int32()
    .min(0)
    .meta({ description: 'Its place in the stream, from 0.', examples: [0] }),
  type: z.string().meta({ examples: ['VideoLiked'] }),
  time: z.iso.datetime().meta({ description: 'When it was recorded, UTC.', examples: ['2025-07-14T09:30:00.000Z'] }),
  data: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({
      description:
        'What happened, in the newest version of the type. A field that must not be shown, such as every personal one, is `left out`. Null when this server does not know the type or its version.',
      examples: [{ videoId, userId, ownerId: '01980a3b-11f0-7d4e-8a4f-3c2b9d6e1a70', at: '2025-07-14T09:30:00.000Z' }],
    }),
  metadata: z.object({
    correlationId: z
      .string()
      .optional()
      .meta({
        description: 'The same in all events that one request caused: its `X-Request-Id`.',
        examples: ['7c0e2c1a-93b4-4c7e-9a55-0d8f2b6e4a19'],
      }),
    causationId: z
      .string()
      .optional()
      .meta({ description: 'The id of the event that caused it. Absent when a request did.', examples: [userId] }),
    actor: z
      .string()
      .optional()
      .meta({ description: 'The id of the user, or the name of the process, that caused it.', examples: [userId] }),
    schemaVersion: z
      .int32()
      .optional()
      .meta({ description: 'The version of the type in which it was recorded.', examples: [1] }),
  }),
});

export type LogEvent = Readonly<z.infer<typeof logEvent>>;

export function toLogEvent({ position, time, ...event }: ShownEvent): LogEvent {
  return { position: String(position), ...event, time: time.toISOString() } as LogEvent;
}
