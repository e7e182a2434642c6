import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { eventually } from '../../tests/support/eventually.ts';
import { collectingLog } from '../../tests/support/httpApp.ts';
import { onlyLimiting } from '../../tests/support/rateLimits.ts';
import { startTcpProxy, type TcpProxy } from '../../tests/support/tcpProxy.ts';
import { describeWith } from '../../tests/support/describeWith.ts';
import { createRedisGate, type RedisGate } from '../cache/redisGate.ts';
import { createRateLimits } from './createRateLimits.ts';
import type { RateLimits } from './rateLimits.ts';

const limits = onlyLimiting({ general: { points: 10, seconds: 60 } });

describeWith('REDIS_URL', 'rate limits that several processes share', (url) => {
  const namespace = `test-${randomUUID()}`;
  let proxy: TcpProxy;
  const ends: (() => void)[] = [];

  /** Commands that processes sent to Redis. Only these can make a caller wait. */
  let asked = 0;

  /** The rate limits of one API process. The default timeout is long, so that a slow machine does not make it count by itself. */
  function processWith(redisUrl: string, timeoutMs = 10_000): RateLimits {
    const client = new Redis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 1, retryStrategy: () => 50 });
    client.on('error', () => undefined);
    const gate: RedisGate = createRedisGate({ redis: client, logger: collectingLog().logger, retryMs: 50, timeoutMs });
    ends.push(() => {
      gate.close();
      client.disconnect();
    });
    const counted: Pick<RedisGate, 'run'> = {
      run: (command) =>
        gate.run((redis) => {
          asked += 1;
          return command(redis);
        }),
    };
    return createRateLimits({ enabled: true, limits, redis: { client, gate: counted, namespace } });
  }

  beforeAll(async () => {
    proxy = await startTcpProxy(url);
  });
  afterEach(() => proxy.restore());
  afterAll(async () => {
    for (const end of ends) end();
    await proxy[Symbol.asyncDispose]();
    const redis = new Redis(url);
    const keys = await redis.keys(`${namespace}*`);
    if (keys.length > 0) await redis.del(...keys);
    redis.disconnect();
  });

  /** Waits until both processes count in Redis. */
  async function untilShared(one: RateLimits, other: RateLimits): Promise<void> {
    await eventually(
      async () => {
        const probe = `user:${randomUUID()}`;
        await other.consume('general', probe);
        return (await one.consume('general', probe))?.remaining === 8;
      },
      { what: 'both processes count in Redis' },
    );
  }

  async function consumed(rateLimits: RateLimits, caller: string, times: number): Promise<number> {
    const states = await Promise.all(Array.from({ length: times }, () => rateLimits.consume('general', caller)));
    return states.filter((state) => state?.allowed === true).length;
  }

  test('give a caller one limit for all processes', async () => {
    const [one, other] = [processWith(proxy.url), processWith(url)];
    await untilShared(one, other);
    const caller = `user:${randomUUID()}`;
    const [first, second] = await Promise.all([consumed(one, caller, 20), consumed(other, caller, 20)]);
    expect(first + second).toBe(10);
  });

  test.each(['hang', 'cut'] as const)(
    'are counted per process while Redis does not answer (%s), without delays or errors, and together again afterwards',
    async (how) => {
      const [one, other] = [processWith(proxy.url, 100), processWith(url)];
      await untilShared(one, other);
      proxy[how]();
      const caller = `user:${randomUUID()}`;
      expect(await consumed(one, caller, 50)).toBe(10);
      const before = asked;
      for (let request = 0; request < 20; request++) await one.consume('general', caller);
      expect(asked).toBe(before);
      proxy.restore();
      await untilShared(one, other);
    },
  );

  test('take a count back also while Redis does not answer', async () => {
    const one = processWith(proxy.url, 100);
    proxy.cut();
    const caller = `user:${randomUUID()}`;
    expect(await consumed(one, caller, 10)).toBe(10);
    await one.giveBack('general', caller);
    expect(await consumed(one, caller, 2)).toBe(1);
  });
});
