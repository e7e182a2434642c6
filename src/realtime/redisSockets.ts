import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import type { Redis, RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import type { ReportUploadProgress, UploadProgress } from './uploadProgress.ts';

const PROGRESS = 'uploadProgress';

export interface SocketsRedis {
  /** Stays the caller's; connections are made like it. */
  readonly redis: Redis;
  /** Tells the channels of this system from those of another on the same Redis. */
  readonly namespace: string;
}

export interface ProgressBridge {
  /** Tells the other processes. Redis away: nobody else hears it. */
  readonly report: ReportUploadProgress;
  close(): void;
}

/** Joins this process's sockets to those of the others: what one reports, each gives to its own sockets. */
export function bridgeSockets(
  io: Server,
  { redis, namespace }: SocketsRedis,
  logger: Logger,
  deliver: ReportUploadProgress,
): ProgressBridge {
  const publisher = publisherOf({ redis, namespace }, logger);
  const subscriber = connect({ redis, namespace }, { maxRetriesPerRequest: null, enableOfflineQueue: true }, logger);
  io.adapter(createAdapter(publisher, subscriber, { key: keyOf(namespace) }));
  io.on(PROGRESS, (step: UploadProgress) => deliver(step));
  return {
    report: (step) => void io.serverSideEmit(PROGRESS, step),
    close: () => {
      void io.of('/').adapter.close();
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

/** For a process without sockets of its own: a media worker. */
export function createProgressEmitter({ redis, namespace }: SocketsRedis, logger: Logger): ProgressBridge {
  const publisher = publisherOf({ redis, namespace }, logger);
  const emitter = new Emitter(publisher, { key: keyOf(namespace) });
  return { report: (step) => emitter.serverSideEmit(PROGRESS, step), close: () => publisher.disconnect() };
}

function keyOf(namespace: string): string {
  return `${namespace}:sockets`;
}

/** Progress that cannot be told now is worth nothing later: it is dropped, not queued. */
function publisherOf(sockets: SocketsRedis, logger: Logger): Redis {
  return connect(sockets, { maxRetriesPerRequest: 0, enableOfflineQueue: false }, logger);
}

function connect({ redis, namespace }: SocketsRedis, options: RedisOptions, logger: Logger): Redis {
  const connection = redis.duplicate({ lazyConnect: false, connectionName: keyOf(namespace), ...options });
  connection.on('error', (error) =>
    logger.debug({ err: error }, 'Redis is away: sockets of other processes are not reached'),
  );
  return forgiving(connection);
}

/** The adapter and the emitter drop the promises of their commands; a rejected one would end the process. */
function forgiving(redis: Redis): Redis {
  return new Proxy(redis, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        if (result instanceof Promise) result.catch(() => undefined);
        return result;
      };
    },
  });
}
