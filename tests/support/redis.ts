import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { createRedisClient } from '../../src/cache/redisClient.ts';
import { quiet } from './projecting.ts';
import { startTcpProxy, type TcpProxy } from './tcpProxy.ts';

/** The Redis at `url`, over a connection that can be cut or made to hang. */
export interface TestRedis extends TcpProxy {
  /** A connected client, created as in the program. */
  client(): Promise<Redis>;
}

export async function openTestRedis(url: string): Promise<TestRedis> {
  const proxy = await startTcpProxy(url);
  const clients: Redis[] = [];
  return {
    ...proxy,
    async client() {
      const client = createRedisClient(proxy.url, quiet, { retryStrategy: () => 50, socketTimeout: 1_000 });
      clients.push(client);
      await once(client, 'ready');
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.disconnect();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** For `(url === undefined ? describe.skip : describe)`: reports why tests are skipped. */
export function redisUrl(what: string): string | undefined {
  const url = process.env['REDIS_URL'];
  if (url === undefined) process.stderr.write(`\nSKIPPED ${what}: set REDIS_URL to run it against a real Redis\n`);
  return url;
}
