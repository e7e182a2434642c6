import type { Redis } from 'ioredis';
import type { Logger } from 'pino';

/** The way to a Redis that one can do without. */
export interface RedisGate {
  /**
   * Runs a command; `undefined` when Redis is away, or does not answer in time. Never throws, and takes `timeoutMs` at
   * most; after one failure it answers at once, until Redis answers again.
   */
  run<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  /** Stops looking whether Redis is back. The client belongs to the caller. */
  close(): void;
}

export interface RedisGateOptions {
  readonly redis: Redis;
  readonly logger: Logger;
  /** The longest that a command may take, in milliseconds; 100 by default. */
  readonly timeoutMs?: number;
  /** How often to look whether Redis is back, in milliseconds; 500 by default. */
  readonly retryMs?: number;
}

export function createRedisGate({ redis, logger, timeoutMs = 100, retryMs = 500 }: RedisGateOptions): RedisGate {
  let open = true;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  async function attempt<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    // ioredis would queue the command until it is connected again.
    if (redis.status !== 'ready') throw new Error(`Redis is not connected (${redis.status})`);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(new Error(`Redis did not answer within ${timeoutMs} ms`));
    // An answer that lies in the socket already is read first: it may be us who are late, not Redis.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    try {
      return await Promise.race([command(redis), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  function shut(error: unknown): void {
    if (!open || closed) return;
    open = false;
    logger.warn({ err: error }, 'going on without Redis');
    lookAgain();
  }

  /** In the background, so that no request pays for the attempt. */
  function lookAgain(): void {
    retry = setTimeout(() => {
      attempt((client) => client.ping()).then(
        () => {
          open = true;
          logger.info('Redis is back');
        },
        () => closed || lookAgain(),
      );
    }, retryMs).unref();
  }

  return {
    async run(command) {
      if (!open) return undefined;
      try {
        return await attempt(command);
      } catch (error) {
        shut(error);
        return undefined;
      }
    },
    close() {
      closed = true;
      open = false;
      clearTimeout(retry);
    },
  };
}
