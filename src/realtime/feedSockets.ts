import type { Logger } from 'pino';
import type { Socket } from 'socket.io';
import { z } from 'zod';
import { DomainError } from '../core/errors.ts';
import type { EventFeed, FeedSubscription } from './eventFeed.ts';
import { topicOfUser } from './visibleEvents.ts';

const request = z.object({
  topics: z.array(z.union([z.literal('feed'), z.literal('me'), z.templateLiteral(['video:', z.uuid()])])).min(1).max(100),
  since: z.string().regex(/^\d{1,19}$/).transform(BigInt).optional(),
});

/** Packets that wait for a client that does not read them, until it is cut off. It comes back with `since`. */
const MOST_WAITING = 5_000;

export type SubscribeAnswer =
  | { readonly ok: true; readonly position: string }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } };

/** Answers `subscribe` on a socket. A second one replaces the first. */
export function serveFeed(socket: Socket, feed: EventFeed, userId: string | undefined, logger: Logger): void {
  let current: FeedSubscription | undefined;

  const subscribe = async (message: unknown): Promise<SubscribeAnswer & { readonly start?: () => Promise<void> }> => {
    const { data } = request.safeParse(message);
    if (data === undefined) return refused('invalid_subscription', 'Send { topics: ["feed" | "video:<id>" | "me"], since?: "<position>" }.');
    if (data.topics.includes('me') && userId === undefined) return refused('token_required', 'The topic "me" needs a token in the handshake.');
    const topics = data.topics.map((topic) => (topic === 'me' ? topicOfUser(userId!) : topic));
    const subscription = await feed.subscribe({ userId, topics, push: (event) => push(socket, event) }, data.since);
    current?.end();
    if (socket.disconnected) return refused('gone', 'The socket is gone.');
    current = subscription;
    return { ok: true, position: String(subscription.position), start: () => subscription.start() };
  };

  socket.on('subscribe', (message: unknown, acknowledge: unknown) => {
    subscribe(message)
      .catch((error: unknown) => {
        if (error instanceof DomainError) return refused(error.code, error.message);
        logger.warn({ err: error }, 'a subscription failed');
        return refused('feed_unavailable', 'Events cannot be read right now; try again shortly.');
      })
      .then(async ({ start, ...answer }: SubscribeAnswer & { start?: () => Promise<void> }) => {
        if (typeof acknowledge === 'function') (acknowledge as (answer: SubscribeAnswer) => void)(answer);
        await start?.();
      })
      .catch((error: unknown) => {
        // Events would be missing: a client that reconnects with `since` loses none, and is told when that is too far back.
        logger.debug({ err: error }, 'a subscriber could not catch up');
        if (error instanceof DomainError) socket.emit('event_error', { code: error.code, message: error.message });
        socket.disconnect(true);
      });
  });
  socket.on('disconnect', () => current?.end());
}

function push(socket: Socket, event: object): void {
  // Engine.io's own list of what has not been written yet.
  const { writeBuffer } = socket.conn as unknown as { writeBuffer: readonly unknown[] };
  if (writeBuffer.length > MOST_WAITING) socket.conn.close();
  else socket.emit('event', event);
}

function refused(code: string, message: string): SubscribeAnswer {
  return { ok: false, error: { code, message } };
}
