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
  /**
   * The listener gets every event after this position, and may have missed some before it: what was read earlier is read again,
   * as of this position or later. Called when the listener begins to hear, and when it was away for too long.
   */
  onGap(position: string): void;
  onState?(state: ConnectionState): void;
}

export type ConnectionState = 'connecting' | 'live';

export interface Connection {
  /** @returns a function that ends it. */
  listen(listener: Listener): () => void;
  /** Listens to another message of the server, such as `uploadProgress-<userId>`. */
  on<Message>(name: string, listener: (message: Message) => void): () => void;
}

type Answer =
  { readonly ok: true; readonly position: string } | { readonly ok: false; readonly error: { readonly code: string } };

/** Milliseconds. */
const RETRY = 2_000;
const LONG_RETRY = 10_000;
/** The events since a position cannot be had. Those from now on can. */
const START_AGAIN: ReadonlySet<string> = new Set(['too_far_behind', 'too_many_catch_ups', 'position_unknown']);

/**
 * One Socket.io connection for all listeners. It subscribes to the topics of all of them, and opens when the first one comes.
 * After a reconnect it asks for the events since the last one, so a listener gets each event once and in order.
 */
export function createConnection(): Connection {
  const listeners = new Set<Listener>();
  /** Those that have every event since they were told of their gap. */
  const following = new Set<Listener>();
  let opening: Promise<Socket> | undefined;
  /** Of the last event, or where the first subscription began. */
  let position: string | undefined;
  /** The topics of the last request, and how many there were: the answer to an earlier one says nothing any more. */
  let asked = '';
  let requests = 0;
  /** The topics of the last request that was accepted. */
  let accepted = '';
  /** That of the last handshake. */
  let token: string | undefined;

  const tell = (state: ConnectionState): void => listeners.forEach((listener) => listener.onState?.(state));

  const subscribe = (socket: Socket): void => {
    const topics = [...new Set([...listeners].flatMap((listener) => listener.topics))].sort();
    const wanted = topics.join(' ');
    if (!socket.connected || wanted === '' || wanted === asked) return;
    asked = wanted;
    const number = ++requests;
    const request = { topics, ...(position !== undefined && { since: position }) };
    socket.emit('subscribe', request, (answer: Answer) => {
      if (number !== requests) return;
      if (answer.ok) {
        // While the answer was on its way, events of the topics so far may have moved the position on.
        position ??= answer.position;
        accepted = wanted;
        begin();
        return tell('live');
      }
      asked = '';
      const { code } = answer.error;
      if (START_AGAIN.has(code)) startAgain(socket);
      else if (code === 'feed_unavailable') setTimeout(() => subscribe(socket), RETRY);
      // No token could be had for the handshake.
      else if (code === 'token_required') setTimeout(() => socket.disconnect().connect(), RETRY);
    });
  };

  /** Tells new listeners from where on they hear. */
  const begin = (): void => {
    const topics = new Set(accepted.split(' '));
    for (const listener of listeners) {
      if (following.has(listener) || !listener.topics.every((topic) => topics.has(topic))) continue;
      following.add(listener);
      listener.onGap(position!);
    }
  };

  const forget = (): void => {
    position = undefined;
    asked = '';
    accepted = '';
    following.clear();
  };

  const startAgain = (socket: Socket): void => {
    forget();
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
      // The client tries again by itself only when the server was not reached.
      const code = (error as { data?: { code?: string } }).data?.code;
      if (code === 'too_many_sockets') setTimeout(() => socket.active || socket.connect(), LONG_RETRY);
      // Its session may have been ended from another device.
      if (code !== 'token_invalid') return;
      forgetAccessToken(token);
      void accessToken()
        .catch(() => undefined)
        // When the session has ended, the listener below has connected it again.
        .then(() => socket.active || socket.connect());
    });
    socket.on('connect', () => {
      asked = '';
      subscribe(socket);
    });
    socket.on('disconnect', () => {
      accepted = '';
      tell('connecting');
    });
    socket.on('event', (event: LiveEvent) => {
      if (position !== undefined && BigInt(event.position) <= BigInt(position)) return;
      position = event.position;
      for (const listener of listeners) listener.onEvent(event);
    });
    socket.on('event_error', ({ code }: { code: string }) => {
      if (START_AGAIN.has(code)) startAgain(socket);
    });
    let user = userId();
    onSessionChange(() => {
      if (user === userId()) return;
      user = userId();
      // What the other user missed is not this one's.
      forget();
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
        if (accepted === '') return;
        begin();
        listener.onState?.('live');
      });
      return () => {
        listeners.delete(listener);
        following.delete(listener);
      };
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
