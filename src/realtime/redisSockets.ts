import { createAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import type { Redis, RedisOptions } from 'ioredis';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import type { ReportUploadProgress, UploadProgress } from './uploadProgress.ts';

const PROGRESS = 'uploadProgress';

export interface SocketsRedis {
  /** The caller closes it. It is duplicated for the connections of the sockets. */
  readonly redis: Redis;
  /** Separates the channels of this system from those of another system on the same Redis. */
  readonly namespace: string;
}

export interface ProgressBridge {
  /** Reports to the other processes. While Redis is not available, the step is dropped. */
  readonly report: ReportUploadProgress;
  close(): void;
}

/** Connects the sockets of all processes: each process delivers to its own sockets what any process reports. */
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

/** For a process that has no sockets: a media worker. */
export function createProgressEmitter({ redis, namespace }: SocketsRedis, logger: Logger): ProgressBridge {
  const publisher = publisherOf({ redis, namespace }, logger);
  const emitter = new Emitter(publisher, { key: keyOf(namespace) });
  return { report: (step) => emitter.serverSideEmit(PROGRESS, step), close: () => publisher.disconnect() };
}

function keyOf(namespace: string): string {
  return `${namespace}:sockets`;
}

/** Progress that cannot be sent now has no use later, so it is dropped, not queued. */
function publisherOf(sockets: SocketsRedis, logger: Logger): Redis {
  return connect(sockets, { maxRetriesPerRequest: 0, enableOfflineQueue: false }, logger);
}

function connect({ redis, namespace }: SocketsRedis, options: RedisOptions, logger: Logger): Redis {
  const connection = redis.duplicate({ lazyConnect: false, connectionName: keyOf(namespace), ...options });
  connection.on('error', (error) =>
    logger.debug({ err: error }, 'Redis is not available: sockets of other processes get no progress'),
  );
  return withoutRejections(connection);
}

/** The adapter and the emitter ignore the promises of their commands, so a rejected one would end the process. */
function withoutRejections(redis: Redis): Redis {
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
