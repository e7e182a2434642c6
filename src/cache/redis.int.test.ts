import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { eventually } from '../../tests/support/eventually.ts';
import { collectingLog, type Logged } from '../../tests/support/httpApp.ts';
import { quiet } from '../../tests/support/projecting.ts';
import { openTestRedis, redisUrl, type TestRedis } from '../../tests/support/redis.ts';
import { createProgressTracker } from '../projecting/progress/progressTracker.ts';
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
    // So long that only a Redis that hangs is given up, and no slow machine.
    gate = createRedisGate({ redis, logger: logged.log, retryMs: 50, timeoutMs: 10_000 });
  });
  afterEach(async () => {
    gate.close();
    await server[Symbol.asyncDispose]();
  });

  const said = (): unknown[] => logged.lines.map(({ msg }) => msg);

  describe('the gate', () => {
    /** Commands that it let through to the client, which alone can make anyone wait. */
    let commands: number;
    beforeEach(() => {
      commands = 0;
    });
    const ping = (): Promise<string | undefined> =>
      gate.run((client) => {
        commands += 1;
        return client.ping();
      });

    test('answers what Redis answers', async () => {
      expect(await ping()).toBe('PONG');
    });

    test('makes one command wait a tenth of a second when Redis hangs, and the next ones not at all, until it is back', async () => {
      gate.close();
      using ends = new DisposableStack();
      const waiting = ends.adopt(
        createRedisClient(server.url, quiet, { retryStrategy: () => 50, socketTimeout: 60_000 }),
        (client) => client.disconnect(),
      );
      await once(waiting, 'ready');
      gate = createRedisGate({ redis: waiting, logger: logged.log, retryMs: 50 });
      server.hang();
      const start = performance.now();
      expect(await ping()).toBeUndefined();
      // The client itself would wait for a minute.
      expect(performance.now() - start).toBeLessThan(10_000);
      for (let turn = 0; turn < 50; turn++) expect(await ping()).toBeUndefined();
      expect(commands).toBe(1);
      server.restore();
      expect(await eventually(ping, { what: 'Redis answers again' })).toBe('PONG');
      // A tenth of a second can be too little again on a busy machine, which is then said again.
      expect(said().slice(0, 2)).toEqual(['going on without Redis', 'Redis is back']);
    });

    test('does not wait at all when Redis is away, and finds it again', async () => {
      server.cut();
      await eventually(() => redis.status !== 'ready', { what: 'the client sees that the connection is gone' });
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
      ['bytes that are no text', Buffer.from([0, 255, 10, 13]), [9_223_372_036_854_775_807n]],
      ['that there is nothing', undefined, []],
    ])('gives back %s, with its stamp and no more time than is left', async (_, bytes, stamp) => {
      const key = randomUUID();
      shared.write(key, { bytes, stamp, msLeft: 60_000 });
      await written(key);
      const found = await shared.read(key);
      expect(found).toEqual({ bytes, stamp, msLeft: expect.any(Number) });
      expect(found!.msLeft).toBeLessThanOrEqual(60_000);
    });

    test('forgets an answer when its time is over', async () => {
      shared.write('brief', { bytes: Buffer.from('x'), stamp: [1n], msLeft: 3_000 });
      await written('brief');
      await eventually(async () => (await shared.read('brief')) === undefined, { what: 'it is gone' });
    });

    test('gives nothing of another log', async () => {
      shared.write('feed', { bytes: Buffer.from('ours'), stamp: [1n], msLeft: 60_000 });
      await written('feed');
      expect(await createRedisSharedCache({ gate, namespace: randomUUID() }).read('feed')).toBeUndefined();
    });

    test('takes for nothing what it did not write', async () => {
      await redis.set(`reelstream:${namespace}:cache:odd`, 'no header at all', 'PX', 60_000);
      expect(await shared.read('odd')).toBeUndefined();
    });

    test('makes one load serve two processes, until either has heard of a commit', async () => {
      // Age is not what this is about.
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
          load: () => Promise.resolve(Buffer.from(`load ${++loads}`)),
        }))!.bytes.toString();
      expect(await ask(0)).toBe('load 1');
      await written(key);
      expect(await ask(1)).toBe('load 1');
      // The second hears of a commit first; what the first had loaded is too old for it, and what it loads is good for the first.
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
