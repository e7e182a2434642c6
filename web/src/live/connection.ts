import type { Socket } from 'socket.io-client';
import { accessToken, currentSession, forgetAccessToken, onSessionChange } from '../session/session.ts';

/** An event, as `/docs/realtime` describes it. */
export interface LiveEvent {
  /** A whole number as text. */
  readonly position: string;
  readonly type: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>> | null;
}

export interface Listener {
  readonly topics: readonly string[];
  onEvent(event: LiveEvent): void;
  onState?(state: ConnectionState): void;
}

/** `behind`: too much has happened meanwhile. The listener reads the current state over HTTP; new events go on to arrive. */
export type ConnectionState = 'connecting' | 'live' | 'behind';

export interface Connection {
  /** @returns a function that ends it. */
  listen(listener: Listener): () => void;
  /** Listens to another message of the server, such as `uploadProgress-<userId>`. */
  on<Message>(name: string, listener: (message: Message) => void): () => void;
}

type Answer =
  { readonly ok: true; readonly position: string } | { readonly ok: false; readonly error: { readonly code: string } };

/**
 * One Socket.io connection for all listeners. It subscribes to the topics of all of them, and opens when the first one comes.
 * After a reconnect it asks for the events since the last one, so a listener gets each event once and in order.
 */
export function createConnection(): Connection {
  const listeners = new Set<Listener>();
  let opening: Promise<Socket> | undefined;
  let position: string | undefined;
  let subscribed = '';
  /** That of the last handshake. */
  let token: string | undefined;

  const tell = (state: ConnectionState): void => listeners.forEach((listener) => listener.onState?.(state));

  const subscribe = (socket: Socket): void => {
    const topics = [...new Set([...listeners].flatMap((listener) => listener.topics))].sort();
    const wanted = topics.join(' ');
    if (!socket.connected || wanted === '' || wanted === subscribed) return;
    subscribed = wanted;
    const request = { topics, ...(position !== undefined && { since: position }) };
    socket.emit('subscribe', request, (answer: Answer) => {
      if (answer.ok) {
        position ??= answer.position;
        return tell('live');
      }
      subscribed = '';
      if (answer.error.code === 'too_far_behind') startAgain(socket);
    });
  };

  const startAgain = (socket: Socket): void => {
    position = undefined;
    subscribed = '';
    tell('behind');
    subscribe(socket);
  };

  const open = async (): Promise<Socket> => {
    const { io } = await import('socket.io-client');
    const socket = io(location.origin, {
      forceNew: true,
      // Long polling only where a proxy lets no websocket through: several API processes answer it only with sticky sessions.
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      reconnectionDelayMax: 4_000,
      auth: (give) =>
        void accessToken()
          .catch(() => undefined)
          .then((valid) => give((token = valid) === undefined ? {} : { token })),
    });
    socket.on('connect_error', (error) => {
      // Its session may have been ended from another device. The client does not try again by itself.
      if ((error as { data?: { code?: string } }).data?.code !== 'token_invalid') return;
      forgetAccessToken(token);
      void accessToken()
        .catch(() => undefined)
        // When the session has ended, the listener below has connected it again.
        .then(() => socket.active || socket.connect());
    });
    socket.on('connect', () => {
      subscribed = '';
      subscribe(socket);
    });
    socket.on('disconnect', () => tell('connecting'));
    socket.on('event', (event: LiveEvent) => {
      if (position !== undefined && BigInt(event.position) <= BigInt(position)) return;
      position = event.position;
      for (const listener of listeners) listener.onEvent(event);
    });
    socket.on('event_error', ({ code }: { code: string }) => {
      if (code === 'too_far_behind') startAgain(socket);
    });
    let user = userId();
    onSessionChange(() => {
      if (user === userId()) return;
      user = userId();
      // What the other user missed is not this one's.
      position = undefined;
      socket.disconnect().connect();
    });
    return socket;
  };

  const socket = (): Promise<Socket> => (opening ??= open());

  return {
    listen(listener) {
      listeners.add(listener);
      void socket().then((on) => {
        subscribe(on);
        if (on.connected && subscribed !== '') listener.onState?.('live');
      });
      return () => void listeners.delete(listener);
    },
    on(name, listener) {
      let ended = false;
      void socket().then((on) => ended || on.on(name, listener as () => void));
      return () => {
        ended = true;
        void socket().then((on) => on.off(name, listener as () => void));
      };
    },
  };
}

function userId(): string | undefined {
  const session = currentSession();
  return session.status === 'signedIn' ? session.user.id : undefined;
}
