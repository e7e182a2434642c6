import { z } from 'zod';

/** What a client sends with `subscribe`. */
export const subscribeRequest = z.object({
  topics: z.array(z.union([z.literal('feed'), z.literal('me'), z.templateLiteral(['video:', z.uuid()])])).min(1).max(100),
  since: z.string().regex(/^\d{1,19}$/).transform(BigInt).optional(),
});

/** The acknowledgement of `subscribe`. */
export type SubscribeAnswer =
  | {
      readonly ok: true;
      /** Every event after this position will be pushed. */
      readonly position: string;
    }
  | { readonly ok: false; readonly error: SocketError };

export interface SocketError {
  /** Stable; for programs. */
  readonly code: string;
  /** A sentence for people; says what to do. */
  readonly message: string;
}

/** `event`: something that a subscriber may hear of has happened. */
export interface PushedEvent {
  readonly position: string;
  readonly type: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly data: object;
}

/**
 * `event_error`: the subscription has ended; no more events come from it.
 * - `too_far_behind`: the connection stays. Read the current state over HTTP, then subscribe without `since`.
 * - `feed_unavailable`: the server then closes the connection, so that the client reconnects and subscribes with `since`.
 */
export type EventError = SocketError;

/** `uploadProgress-<userId>` on `PORT`, to the sockets of that user. */
export interface UploadProgressMessage extends PublicProgressMessage {
  readonly videoId: string;
  readonly stage: string;
}

/** `uploadProgress-<userId>` on `SOCKET_PORT`, to every socket: what clients of the original server read. */
export interface PublicProgressMessage {
  /** Percent; rises to 100. */
  readonly progress: number;
}
