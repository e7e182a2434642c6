import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

export interface HeardEvent {
  readonly position: string;
  readonly type: string;
  readonly time: string;
  readonly data: { readonly videoId: string };
}

/** A subscriber as a careful client writes it: Socket.io reconnects by itself, and each time it subscribes from where it was. */
export interface FeedFollower {
  readonly socket: Socket;
  /** Everything that was pushed, over all connections. */
  readonly heard: HeardEvent[];
  /** Why each connection ended, in Socket.io's words. */
  readonly disconnects: string[];
  /** Acknowledgements that refused, and what came as `event_error`. */
  readonly errors: { readonly code: string; readonly message: string }[];
  /** How often it has subscribed with success. */
  subscribed(): number;
}

export interface FollowOptions extends Partial<ManagerOptions & SocketOptions> {
  readonly topics: readonly string[];
  /** Where to begin; where the log is when it first subscribes, by default. */
  readonly since?: string;
}

const TRY_AGAIN = ['feed_unavailable', 'too_many_catch_ups'];
const TRY_AGAIN_MS = 500;

type Answer =
  | { readonly ok: true; readonly position: string }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

/** Begins to follow; disconnect its socket at the end. Options of socket.io-client may be added, such as transports. */
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
