import { z } from 'zod';
import type { FeedTopic } from './feedDefinition.ts';

/** The messages of the real-time channel. `/asyncapi.json` is made from these schemas. */

const videoId = '01980a3c-5b1e-7c3a-9f52-7d1f0a6b2c11';

const position = z
  .string()
  .regex(/^\d{1,19}$/)
  .meta({
    description:
      'A position in the event log: a whole number as text, since it may be too large for a JavaScript number.',
    examples: ['1042'],
  });
const video = { videoId: z.uuid().meta({ examples: [videoId] }) };

/** The topic with every event of the log. */
export const LOG_TOPIC = 'log';

/** All kinds of topics, as documents and messages write them. */
export function topicNames(topics: readonly FeedTopic[]): string[] {
  return [...topics.map(({ name }) => name), 'me', LOG_TOPIC];
}

/** What a client sends with `subscribe`: topics of these kinds, its own topic `me`, or `log`. */
export function subscribeRequest(topics: readonly FeedTopic[]) {
  const topic = z.union([z.literal('me'), z.literal(LOG_TOPIC), ...topics.map(({ schema }) => schema)]);
  const names = topicNames(topics).map((name) => `\`${name}\``);
  return z
    .object({
      topics: z
        .array(topic)
        .min(1)
        .max(100)
        .meta({ description: `Each is one of ${names.join(', ')}.`, examples: [['feed', `video:${videoId}`]] }),
      since: position
        .transform(BigInt)
        .optional()
        .meta({
          description: 'The position of the last event that the client has. Without it, only new events are sent.',
          examples: ['1042'],
        }),
    })
    .meta({ examples: [{ topics: ['feed', `video:${videoId}`], since: '1042' }] });
}

const socketError = z.object({
  code: z.string().meta({ description: 'For programs: stable.', examples: ['too_far_behind'] }),
  message: z
    .string()
    .meta({
      description: 'For people: what is wrong and what to do.',
      examples: [
        'Too much has happened since that position. Read the current state again and subscribe without "since".',
      ],
    }),
});
export type SocketError = z.infer<typeof socketError>;

/** The acknowledgement of `subscribe`. */
export const subscribeAnswer = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    position: position.meta({ description: 'Every event after this position will be sent.' }),
  }),
  z.object({
    ok: z.literal(false),
    error: socketError.meta({
      examples: [{ code: 'token_required', message: 'The topic "me" needs a token in the handshake.' }],
    }),
  }),
]);
export type SubscribeAnswer = z.infer<typeof subscribeAnswer>;

/** `event`: an event that the subscriber may see. */
export const pushedEvent = z.object({
  position,
  type: z.string(),
  time: z.iso.datetime().meta({ description: 'When it happened, UTC.', examples: ['2026-03-01T12:00:00.000Z'] }),
  data: z.looseObject({}),
});
export interface PushedEvent {
  readonly position: string;
  readonly type: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Null for an event of the log that the server does not know. */
  readonly data: object | null;
}

/**
 * `event_error`: the subscription has ended; no more events come from it.
 * - `too_far_behind`: the connection stays open. Read the current state over HTTP, then subscribe without `since`.
 * - `feed_unavailable`: the server then closes the connection, so that the client reconnects and subscribes with
 * `since`.
 */
export const eventError = socketError;

/** `uploadProgress-<userId>` on `SOCKET_PORT`, to every socket, for clients of the original server. */
export const publicProgressMessage = z.object({
  progress: z
    .number()
    .min(0)
    .max(100)
    .meta({ description: 'Percent. It rises, and ends at 100.', examples: [42] }),
});
export type PublicProgressMessage = Readonly<z.infer<typeof publicProgressMessage>>;

/** `uploadProgress-<userId>` on `PORT`, to the sockets of that user. */
export const uploadProgressMessage = publicProgressMessage.extend({
  ...video,
  stage: z
    .enum(['receiving', 'checking', 'storing', 'transcoding', 'thumbnail', 'publishing', 'ready'])
    .meta({ description: 'The current stage of the upload.', examples: ['transcoding'] }),
});
export type UploadProgressMessage = Readonly<z.infer<typeof uploadProgressMessage>>;
