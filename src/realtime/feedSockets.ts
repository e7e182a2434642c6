import type { Logger } from 'pino';
import type { Socket } from 'socket.io';
import { DomainError } from '../core/errors.ts';
import type { UserRole } from '../http/route.ts';
import type { EventFeed, FeedSubscription } from './eventFeed.ts';
import {
  LOG_TOPIC,
  subscribeRequest,
  topicNames,
  type PushedEvent,
  type SocketError,
  type SubscribeAnswer,
} from './messages.ts';
import { topicOfUser, type FeedTopic } from './feedDefinition.ts';

/**
 * How many packets may wait for a slow client. Beyond that its connection is closed; it reconnects and sends `since`.
 */
const MOST_WAITING = 5_000;

export interface SocketCaller {
  /** Undefined when connected without a token. */
  readonly userId: string | undefined;
  /** From the token, which closes the connection when it expires. Undefined when connected without a token. */
  readonly role: UserRole | undefined;
  readonly address: string;
}

export interface FeedSocketsOptions {
  readonly feed: EventFeed;
  /** With the topic `log`, for admins. */
  readonly logFeed: EventFeed;
  readonly topics: readonly FeedTopic[];
  readonly logger: Logger;
}

/** Answers `subscribe` on sockets. A second subscription on the same socket replaces the first. */
export function createFeedSockets({
  topics,
  ...options
}: FeedSocketsOptions): (socket: Socket, caller: SocketCaller) => void {
  const request = subscribeRequest(topics);
  const names = topicNames(topics).map((name) => `"${name}"`);
  const malformed = `Send { topics: [${names.join(' | ')}], since?: "<position>" }.`;
  return (socket, caller) =>
    serve(socket, caller, { ...options, parse: (message) => request.safeParse(message).data, malformed });
}

interface Serving extends Omit<FeedSocketsOptions, 'topics'> {
  parse(message: unknown): { readonly topics: readonly string[]; readonly since?: bigint | undefined } | undefined;
  /** The error message for a malformed `subscribe`. */
  readonly malformed: string;
}

function serve(
  socket: Socket,
  { userId, role, address }: SocketCaller,
  { feed, logFeed, logger, parse, malformed }: Serving,
): void {
  let current: FeedSubscription | undefined;

  const subscribe = async (message: unknown): Promise<FeedSubscription> => {
    const data = parse(message);
    if (data === undefined) throw new DomainError('invalid', 'invalid_subscription', malformed);
    if (data.topics.includes('me') && userId === undefined)
      throw new DomainError('unauthenticated', 'token_required', 'The topic "me" needs a token in the handshake.');
    const topics = data.topics.map((topic) => (topic === 'me' ? topicOfUser(userId!) : topic));
    const subscriber = {
      userId,
      address,
      topics,
      push: (event: PushedEvent) => push(socket, event),
      drained: () => drained(socket),
    };
    if (!topics.includes(LOG_TOPIC)) return await feed.subscribe(subscriber, data.since);
    if (role !== 'admin')
      throw new DomainError('forbidden', 'admin_required', 'The topic "log" needs a token with the role admin.');
    // Its messages have another form, and it has the events of all other topics.
    if (topics.some((topic) => topic !== LOG_TOPIC))
      throw new DomainError(
        'invalid',
        'invalid_subscription',
        'The topic "log" has every event: subscribe to it alone.',
      );
    return await logFeed.subscribe(subscriber, data.since);
  };

  const answer = async (message: unknown, acknowledge: (answer: SubscribeAnswer) => void): Promise<void> => {
    let subscription: FeedSubscription;
    try {
      subscription = await subscribe(message);
    } catch (error) {
      if (!(error instanceof DomainError)) logger.warn({ err: error }, 'a subscription failed');
      return acknowledge({ ok: false, error: errorOf(error) });
    }
    if (socket.disconnected) return subscription.end();
    current?.end();
    current = subscription;
    acknowledge({ ok: true, position: String(subscription.position) });
    try {
      await subscription.start();
    } catch (error) {
      if (current !== subscription) return;
      subscription.end();
      socket.emit('event_error', errorOf(error));
      // After a closed connection, a client reconnects and sends the same request. So the connection is closed only
      // when the same request can succeed later; otherwise the client would repeat it for ever.
      if (error instanceof DomainError) return;
      logger.warn({ err: error }, 'a subscriber could not catch up; its client will reconnect');
      socket.conn.close();
    }
  };

  socket.on('subscribe', (message: unknown, acknowledge: unknown) => {
    void answer(
      message,
      typeof acknowledge === 'function' ? (acknowledge as (answer: SubscribeAnswer) => void) : () => undefined,
    );
  });
  socket.on('disconnect', () => {
    current?.end();
    current = undefined;
  });
}

function errorOf(error: unknown): SocketError {
  if (error instanceof DomainError) return { code: error.code, message: error.message };
  return { code: 'feed_unavailable', message: 'Events cannot be read right now. Try again shortly.' };
}

function push(socket: Socket, event: PushedEvent): void {
  // This closes the transport, not the socket: after a DISCONNECT packet of Socket.io, clients do not reconnect by
  // themselves.
  if (waitingPackets(socket) > MOST_WAITING) socket.conn.close(true);
  else socket.emit('event', event);
}

async function drained(socket: Socket): Promise<void> {
  const { conn } = socket;
  if (waitingPackets(socket) === 0 || socket.disconnected) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      conn.off('drain', done).off('close', done);
      resolve();
    };
    conn.on('drain', done).on('close', done);
  });
}

/** Engine.io's list of packets that the transport has not taken yet. */
function waitingPackets({ conn }: Socket): number {
  return (conn as unknown as { readonly writeBuffer: readonly unknown[] }).writeBuffer.length;
}
