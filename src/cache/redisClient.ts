import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';

/**
 * A client for an optional Redis. While there is no connection, a command fails at once. A connection that is silent for five
 * seconds is replaced. Copies of the client (`duplicate`) behave the same.
 */
export function createRedisClient(url: string, logger: Logger, options: RedisOptions = {}): Redis {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    socketTimeout: 5_000,
    ...options,
  });
  // The gate logs an outage once. Without a listener, ioredis would print each failed attempt to connect.
  client.on('error', (error) => logger.debug({ err: error }, 'Redis cannot be reached'));
  return client;
}
