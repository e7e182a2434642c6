import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from 'pino';

/**
 * A connection to a Redis that one can do without: a command fails at once while there is none, and one that has gone
 * silent for five seconds is given up for a new one. Connections made like it (`duplicate`) do the same.
 */
export function createRedisClient(url: string, log: Logger, options: RedisOptions = {}): Redis {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    socketTimeout: 5_000,
    ...options,
  });
  // The gate says when it is away, once; without a listener every try to connect would be printed.
  client.on('error', (error) => log.debug({ err: error }, 'Redis cannot be reached'));
  return client;
}
