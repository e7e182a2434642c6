import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { withTimeout } from '../core/withTimeout.ts';

/** Access to an optional Redis. */
export interface RedisGate {
  /**
   * Runs a command. Resolves with `undefined` when Redis fails or does not answer in time. Never rejects and takes `timeoutMs` at
   * most. After a failure it resolves at once, until Redis answers again.
   */
  run<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  /** Stops checking whether Redis answers again. The caller closes the client. */
  close(): void;
}

export interface RedisGateOptions {
  readonly redis: Redis;
  readonly logger: Logger;
  /** The longest time that a command may take (ms). Default: 100. */
  readonly timeoutMs?: number;
  /** How often to check whether Redis answers again (ms). Default: 500. */
  readonly retryMs?: number;
}

export function createRedisGate({ redis, logger, timeoutMs = 100, retryMs = 500 }: RedisGateOptions): RedisGate {
  let open = true;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  async function attempt<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    // ioredis would queue the command until it is connected again.
    if (redis.status !== 'ready') throw new Error(`Redis is not connected (${redis.status})`);
    return withTimeout(command(redis), timeoutMs, () => {
      throw new Error(`Redis did not answer within ${timeoutMs} ms`);
    });
  }

  function stopUsingRedis(error: unknown): void {
    if (!open || closed) return;
    open = false;
    logger.warn({ err: error }, 'continuing without Redis');
    checkLater();
  }

  /** In the background, so that no request waits for the check. */
  function checkLater(): void {
    retry = setTimeout(() => {
      attempt((client) => client.ping()).then(
        () => {
          open = true;
          logger.info('Redis answers again');
        },
        () => closed || checkLater(),
      );
    }, retryMs).unref();
  }

  return {
    async run(command) {
      if (!open) return undefined;
      try {
        return await attempt(command);
      } catch (error) {
        stopUsingRedis(error);
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
