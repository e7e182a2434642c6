import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import { quiet } from '../../tests/support/projecting.ts';
import { openTestRedis, redisUrl, type TestRedis } from '../../tests/support/redis.ts';
import { createRedisClient } from './redisClient.ts';
import { createRedisGate, type RedisGate } from './redisGate.ts';

const url = redisUrl('src/cache/redisGate.int.test.ts');

(url === undefined ? describe.skip : describe)('the gate to a real Redis', () => {
  let server: TestRedis;
  let gate: RedisGate;

  beforeEach(async () => {
    server = await openTestRedis(url!);
    gate = createRedisGate({ redis: await server.client(), logger: quiet, retryMs: 50 });
  });
  afterEach(async () => {
    gate.close();
    await server[Symbol.asyncDispose]();
  });

  const ping = (): Promise<string | undefined> => gate.run((redis) => redis.ping());

  test('stays open when this process was blocked, not Redis', async () => {
    // Connects without the proxy, which is in this process and blocked with it.
    const redis = createRedisClient(url!, quiet);
    const direct = createRedisGate({ redis, logger: quiet });
    try {
      await once(redis, 'ready');
      const answer = direct.run((client) => client.ping());
      // Far longer than Redis needs, even on a busy machine.
      const until = performance.now() + 2_000;
      while (performance.now() < until); // blocks like a long garbage collection
      expect(await answer).toBe('PONG');
    } finally {
      direct.close();
      redis.disconnect();
    }
  });

  test('opens again after a connection became silent', async () => {
    expect(await eventually(ping, { what: 'Redis answers' })).toBe('PONG');
    server.silence();
    expect(await ping()).toBeUndefined();
    expect(await eventually(ping, { what: 'Redis answers over a new connection' })).toBe('PONG');
  });
});
