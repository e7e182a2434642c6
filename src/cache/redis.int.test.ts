import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { eventually } from '../../tests/support/eventually.ts';
import { collectingLog, type Logged } from '../../tests/support/httpApp.ts';
import { quiet } from '../../tests/support/projecting.ts';
import { openTestRedis, redisUrl, type TestRedis } from '../../tests/support/redis.ts';
import { createProgressTracker } from '../projecting/progress/progressTracker.ts';
import { cachedReply, replyForm } from './cachedReply.ts';
import { createQueryCache } from './queryCache.ts';
import { createRedisClient } from './redisClient.ts';
import { createRedisGate, type RedisGate } from './redisGate.ts';
import { createRedisSharedCache } from './redisSharedCache.ts';
import type { SharedCache } from './sharedCache.ts';

const url = redisUrl('src/cache/redis.int.test.ts');

(url === undefined ? describe.skip : describe)('with a real Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  let gate: RedisGate;
  let logged: Logged;
  const namespace = randomUUID();

  beforeEach(async () => {
    server = await openTestRedis(url!);
    redis = await server.client();
    logged = collectingLog();
    // So long that a slow machine does not exceed it.
    gate = createRedisGate({ redis, logger: logged.logger, retryMs: 50, timeoutMs: 10_000 });
  });
  afterEach(async () => {
    gate.close();
    await server[Symbol.asyncDispose]();
  });

  const messages = (): unknown[] => logged.lines.map(({ msg }) => msg);

  describe('the gate', () => {
    /** Commands that reached the client. Only these can make a caller wait. */
    let commands: number;
    beforeEach(() => {
      commands = 0;
    });
    const ping = (): Promise<string | undefined> =>
      gate.run((client) => {
        commands += 1;
        return client.ping();
      });

    test('returns the answer of Redis', async () => {
      expect(await ping()).toBe('PONG');
    });

    test('makes only one command wait when Redis hangs, until Redis answers again', async () => {
      gate.close();
      using ends = new DisposableStack();
      const waiting = ends.adopt(
        createRedisClient(server.url, quiet, { retryStrategy: () => 50, socketTimeout: 60_000 }),
        (client) => client.disconnect(),
      );
      await once(waiting, 'ready');
      gate = createRedisGate({ redis: waiting, logger: logged.logger, retryMs: 50 });
      server.hang();
      const start = performance.now();
      expect(await ping()).toBeUndefined();
      // The client itself would wait for a minute.
      expect(performance.now() - start).toBeLessThan(10_000);
      for (let turn = 0; turn < 50; turn++) expect(await ping()).toBeUndefined();
      expect(commands).toBe(1);
      server.restore();
      expect(await eventually(ping, { what: 'Redis answers again' })).toBe('PONG');
      // On a busy machine the short timeout may be exceeded again, which logs both messages again.
      expect(messages().slice(0, 2)).toEqual(['continuing without Redis', 'Redis answers again']);
    });

    test('does not wait when the connection is lost, and reconnects', async () => {
      server.cut();
      await eventually(() => redis.status !== 'ready', { what: 'the client sees that the connection is lost' });
      expect([await ping(), commands]).toEqual([undefined, 0]);
      server.restore();
      expect(await eventually(ping, { what: 'Redis answers again' })).toBe('PONG');
    });
  });

  describe('the shared cache', () => {
    let shared: SharedCache;
    beforeEach(() => {
      shared = createRedisSharedCache({ gate, namespace });
    });
    const written = (key: string): Promise<unknown> =>
      eventually(() => redis.exists(`reelstream:${namespace}:cache:${key}`), { what: `${key} is written` });

    test.each([
      ['an answer', Buffer.from('{"ä":"\n0 1"}'), [5n, 7n]],
      ['bytes that are not text', Buffer.from([0, 255, 10, 13]), [9_223_372_036_854_775_807n]],
      ['undefined', undefined, []],
    ])('returns %s, with its stamp and its remaining time', async (_, bytes, stamp) => {
      const key = randomUUID();
      shared.write(key, { bytes, stamp, msLeft: 60_000 });
      await written(key);
      const found = await shared.read(key);
      expect(found).toEqual({ bytes, stamp, msLeft: expect.any(Number) });
      expect(found!.msLeft).toBeLessThanOrEqual(60_000);
    });

    test('drops an expired answer', async () => {
      shared.write('brief', { bytes: Buffer.from('x'), stamp: [1n], msLeft: 3_000 });
      await written('brief');
      await eventually(async () => (await shared.read('brief')) === undefined, { what: 'it has expired' });
    });

    test('returns nothing from another log', async () => {
      shared.write('feed', { bytes: Buffer.from('ours'), stamp: [1n], msLeft: 60_000 });
      await written('feed');
      expect(await createRedisSharedCache({ gate, namespace: randomUUID() }).read('feed')).toBeUndefined();
    });

    test('ignores a value that it did not write', async () => {
      await redis.set(`reelstream:${namespace}:cache:odd`, 'no header at all', 'PX', 60_000);
      expect(await shared.read('odd')).toBeUndefined();
    });

    test('lets two processes share a load until one of them hears of a commit', async () => {
      // Entries must not expire in this test.
      const lasting: SharedCache = {
        read: shared.read,
        write: (key, entry) => shared.write(key, { ...entry, msLeft: 60_000 }),
      };
      const processes = [1, 2].map(() => {
        const tracker = createProgressTracker();
        tracker.moved({ projection: 'videos', partition: 0, partitions: 1, position: 10n, changed: false });
        return { tracker, cache: createQueryCache({ progress: tracker, shared: lasting, clock: () => 0 }) };
      });
      let loads = 0;
      const key = randomUUID();
      const ask = async (index: number): Promise<string> =>
        (await processes[index]!.cache.get({
          key,
          projection: 'videos',
          form: replyForm,
          load: () => Promise.resolve(cachedReply(Buffer.from(`load ${++loads}`))),
        }))!.bytes.latin1;
      expect(await ask(0)).toBe('load 1');
      await written(key);
      expect(await ask(1)).toBe('load 1');
      // The second process hears of a commit first. The answer of the first is too old for it, and its own answer is fresh enough for the first.
      processes[1]!.tracker.moved({ projection: 'videos', partition: 0, partitions: 1, position: 11n, changed: true });
      expect(await ask(1)).toBe('load 2');
      await eventually(async () => (await shared.read(key))?.bytes?.toString() === 'load 2', {
        what: 'the newer answer is shared',
      });
      processes[0]!.tracker.moved({ projection: 'videos', partition: 0, partitions: 1, position: 11n, changed: true });
      expect(await ask(0)).toBe('load 2');
    });
  });
});
