import { z } from 'zod';

/** The messages of the real-time channel. `/asyncapi.json` is made from these schemas. */

const videoId = '01980a3c-5b1e-7c3a-9f52-7d1f0a6b2c11';
const userId = '01980a3b-11f0-7d4e-8a4f-3c2b9d6e1a70';

const position = z
  .string()
  .regex(/^\d{1,19}$/)
  .meta({
    description:
      'A position in the event log: a whole number, as text, since it may be larger than what JavaScript numbers hold exactly.',
    examples: ['1042'],
  });
const video = { videoId: z.uuid().meta({ examples: [videoId] }) };
const details = {
  title: z.string().meta({ examples: ['Test card'] }),
  description: z.string().meta({ examples: ['Four seconds'] }),
};

const topic = z.union([z.literal('feed'), z.literal('me'), z.templateLiteral(['video:', z.uuid()])]);

/** What a client sends with `subscribe`. */
export const subscribeRequest = z
  .object({
    topics: z
      .array(topic)
      .min(1)
      .max(100)
      .meta({ description: 'Each is `feed`, `me` or `video:<id>`.', examples: [['feed', `video:${videoId}`]] }),
    since: position
      .transform(BigInt)
      .optional()
      .meta({
        description: 'The position of the last event that the client has. Without it, only new events are sent.',
        examples: ['1042'],
      }),
  })
  .meta({ examples: [{ topics: ['feed', `video:${videoId}`], since: '1042' }] });

const socketError = z.object({
  code: z.string().meta({ description: 'Stable; for programs.', examples: ['too_far_behind'] }),
  message: z
    .string()
    .meta({
      description: 'For people; says what to do.',
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

/** `data` of an `event`, by its type. */
export const eventData = {
  VideoUploaded: z
    .object({ ...video, ...details })
    .meta({ description: 'The caller has uploaded a video. It is being processed.' }),
  VideoProcessed: z
    .object({
      ...video,
      uploadedBy: z.uuid().meta({ description: 'The id of its owner.', examples: [userId] }),
      duration: z
        .number()
        .min(0)
        .meta({ description: 'Seconds.', examples: [4] }),
      width: z
        .int32()
        .min(1)
        .meta({ description: 'Pixels, as shown.', examples: [640] }),
      height: z
        .int32()
        .min(1)
        .meta({ description: 'Pixels, as shown.', examples: [360] }),
    })
    .meta({ description: 'A video is ready to play and is now in the feed.' }),
  VideoProcessingFailed: z
    .object({
      ...video,
      reason: z
        .string()
        .meta({ description: 'A sentence for the uploader.', examples: ['The video is longer than 60 seconds.'] }),
    })
    .meta({ description: "One of the caller's videos could not be processed." }),
  VideoProcessingRetried: z
    .object(video)
    .meta({ description: "One of the caller's videos that failed is being processed again." }),
  VideoDetailsChanged: z
    .object({ ...video, title: details.title.optional(), description: details.description.optional() })
    .meta({
      description:
        'The title or the description of a video has changed. Only its owner is sent the new ones; all others read the video again.',
    }),
  VideoDeleted: z.object(video).meta({ description: 'A video has been deleted.' }),
  VideoLiked: z.object(video).meta({ description: 'Somebody likes a video.' }),
  VideoUnliked: z.object(video).meta({ description: 'Somebody no longer likes a video.' }),
  VideoViewed: z.object(video).meta({ description: 'A view of a video has been counted.' }),
} as const;
export type PushedEventType = keyof typeof eventData;

/** `event`: something that a subscriber may hear of has happened. */
export const pushedEvent = z.object({
  position,
  type: z.enum(Object.keys(eventData) as [PushedEventType, ...PushedEventType[]]),
  time: z.iso.datetime().meta({ description: 'When it happened, UTC.', examples: ['2026-03-01T12:00:00.000Z'] }),
  data: z.looseObject({}),
});
export interface PushedEvent {
  readonly position: string;
  readonly type: PushedEventType;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly data: object;
}

/**
 * `event_error`: the subscription has ended; no more events come from it.
 * - `too_far_behind`: the connection stays. Read the current state over HTTP, then subscribe without `since`.
 * - `feed_unavailable`: the server then closes the connection, so that the client reconnects and subscribes with `since`.
 */
export const eventError = socketError;
export type EventError = SocketError;

/** `uploadProgress-<userId>` on `SOCKET_PORT`, to every socket: what clients of the original server read. */
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
    .meta({ description: 'What is being done.', examples: ['transcoding'] }),
});
export type UploadProgressMessage = Readonly<z.infer<typeof uploadProgressMessage>>;
