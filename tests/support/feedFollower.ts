import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

export interface HeardEvent {
  readonly position: string;
  readonly type: string;
  readonly time: string;
  readonly data: { readonly videoId: string };
}

/**
 * A subscriber that loses no event: Socket.io reconnects by itself, and each time it subscribes after its last event.
 */
export interface FeedFollower {
  readonly socket: Socket;
  /** All events that were pushed, over all connections. */
  readonly heard: HeardEvent[];
  /** Why each connection ended, in Socket.io's words. */
  readonly disconnects: string[];
  /** Refused subscriptions, and messages of `event_error`. */
  readonly errors: { readonly code: string; readonly message: string }[];
  /** Number of successful subscriptions. */
  subscribed(): number;
}

export interface FollowOptions extends Partial<ManagerOptions & SocketOptions> {
  readonly topics: readonly string[];
  /** The position to begin after; by default the end of the log at the first subscription. */
  readonly since?: string;
}

const TRY_AGAIN = ['feed_unavailable', 'too_many_catch_ups'];
const TRY_AGAIN_MS = 500;

type Answer =
  | { readonly ok: true; readonly position: string }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

/** Begins to follow. Disconnect its socket at the end. Accepts options of socket.io-client, such as transports. */
export function followFeed(url: string, { topics, since, ...options }: FollowOptions): FeedFollower {
  const socket = io(url, {
    forceNew: true,
    reconnection: true,
    reconnectionDelay: 100,
    reconnectionDelayMax: 500,
    ...options,
  });
  const heard: HeardEvent[] = [];
  const disconnects: string[] = [];
  const errors: FeedFollower['errors'] = [];
  let last = since;
  let subscribed = 0;
  let retry: NodeJS.Timeout | undefined;
  const subscribe = (): void => {
    socket.emit('subscribe', { topics, since: last }, (answer: Answer) => {
      if (answer.ok) {
        subscribed += 1;
        last ??= answer.position;
        return;
      }
      errors.push(answer.error);
      if (TRY_AGAIN.includes(answer.error.code)) retry = setTimeout(subscribe, TRY_AGAIN_MS);
    });
  };
  socket.on('connect', subscribe);
  socket.on('event', (event: HeardEvent) => {
    heard.push(event);
    last = event.position;
  });
  socket.on('event_error', (error: { code: string; message: string }) => errors.push(error));
  socket.on('disconnect', (reason) => {
    disconnects.push(reason);
    clearTimeout(retry);
  });
  return { socket, heard, disconnects, errors, subscribed: () => subscribed };
}
