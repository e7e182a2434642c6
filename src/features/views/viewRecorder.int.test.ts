import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 } from 'uuid';
import { eventually } from '../../../tests/support/eventually.ts';
import { collectingLog } from '../../../tests/support/httpApp.ts';
import { createProjectingTest, quiet, type ProjectingTest } from '../../../tests/support/projecting.ts';
import { onlyLimiting } from '../../../tests/support/rateLimits.ts';
import { openTestRedis, redisUrl } from '../../../tests/support/redis.ts';
import { createRedisClaims } from '../../cache/claims.ts';
import { createRedisGate, type RedisGate } from '../../cache/redisGate.ts';
import type { RecordedEvent } from '../../core/event.ts';
import { AppendRefused, EventStoreUnavailable, type EventStore } from '../../core/eventStore.ts';
import { createRateLimits } from '../../rateLimits/createRateLimits.ts';
import { noRateLimits } from '../../rateLimits/rateLimits.ts';
import type { VideoViewed } from './events.ts';
import { createViewRecorder, type ViewRecorder, type ViewRecorderOptions } from './viewRecorder.ts';

let log: ProjectingTest;
beforeAll(async () => {
  log = await createProjectingTest();
});
afterAll(async () => log[Symbol.asyncDispose]());

const noon = Date.parse('2025-03-01T12:00:00.000Z');
const recorder = (options: Partial<ViewRecorderOptions> = {}): ViewRecorder =>
  createViewRecorder({ store: log.store, logger: quiet, secret: 'secret', rateLimits: noRateLimits, ...options });

/** Somebody looks at a video, so many milliseconds after noon. */
function look(views: ViewRecorder, videoId: string, viewer: string, ms = 0): void {
  const now = new Date(noon + ms);
  views.record({
    videoId,
    ownerId: 'ann',
    viewer: { userId: viewer, address: '::1' },
    context: { correlationId: 'request', traceparent: '00-x', now },
  });
}

async function recorded(videoId: string): Promise<RecordedEvent<VideoViewed>[]> {
  const events: RecordedEvent<VideoViewed>[] = [];
  for (const day of ['2025-03-01', '2025-03-02']) {
    for await (const event of log.store.readStream(`views-${videoId}_${day}`))
      events.push(event as RecordedEvent<VideoViewed>);
  }
  return events;
}
const viewers = async (videoId: string): Promise<string[]> => (await recorded(videoId)).map(({ data }) => data.viewer);

describe('a view', () => {
  test('is recorded with what analytics need, without being waited for', async () => {
    const views = recorder();
    const id = v7();
    look(views, id, 'bob');
    const [event] = await eventually(() => recorded(id), {
      what: 'the view is recorded',
      holds: (events) => events.length > 0,
    });
    expect(event).toMatchObject({
      type: 'VideoViewed',
      stream: `views-${id}_2025-03-01`,
      data: { videoId: id, ownerId: 'ann', viewer: 'user:bob', at: '2025-03-01T12:00:00.000Z' },
      metadata: { correlationId: 'request', traceparent: '00-x' },
    });
    await views.close();
  });

  test('counts for so many viewers behind one address, of each video', async () => {
    const rateLimits = createRateLimits({
      enabled: true,
      limits: onlyLimiting({ viewers: { points: 10, seconds: 60 } }),
    });
    const views = recorder({ rateLimits });
    const [one, other] = [v7(), v7()];
    for (let n = 0; n < 14; n++) look(views, one, `account-${n}`);
    look(views, other, 'account-0');
    views.record({
      videoId: one,
      ownerId: 'ann',
      viewer: { userId: 'elsewhere', address: '203.0.113.9' },
      context: { correlationId: 'request', now: new Date(noon) },
    });
    await views.close();
    expect(await viewers(one)).toHaveLength(11);
    expect(await viewers(one)).toContain('user:elsewhere');
    expect(await viewers(other)).toEqual(['user:account-0']);
  });

  test('counts once in sixty seconds from the last that counted, for each viewer and video', async () => {
    const views = recorder();
    const [one, other] = [v7(), v7()];
    for (const ms of [0, 1, 30_000, 59_999, 60_000, 90_000, 119_999, 120_000]) look(views, one, 'bob', ms);
    look(views, one, 'cem', 1);
    look(views, other, 'bob', 1);
    await views.close();
    expect((await viewers(one)).toSorted()).toEqual(['user:bob', 'user:bob', 'user:bob', 'user:cem']);
    expect(await viewers(other)).toEqual(['user:bob']);
  });

  test('lies under the day on which it happened', async () => {
    const views = recorder();
    const id = v7();
    const midnight = 12 * 3_600_000;
    look(views, id, 'bob', midnight - 1);
    look(views, id, 'cem', midnight);
    await views.close();
    expect((await recorded(id)).map(({ stream }) => stream.split('_')[1])).toEqual(['2025-03-01', '2025-03-02']);
  });

  test('that two processes counted within one minute is in the log once', async () => {
    const processes = [recorder(), recorder()];
    const id = v7();
    for (const views of processes) look(views, id, 'bob', 500);
    await Promise.all(processes.map((views) => views.close()));
    expect(await viewers(id)).toEqual(['user:bob']);
  });

  test('is remembered for so many viewers, and no more', async () => {
    const views = recorder({ mostViewers: 2 });
    const id = v7();
    for (const viewer of ['bob', 'cem', 'dan', 'bob']) look(views, id, viewer);
    await views.close();
    // Forgotten and counted again, and yet known to the log.
    expect(await viewers(id)).toEqual(['user:bob', 'user:cem', 'user:dan']);
  });
});

describe('while the event store is not available', () => {
  /** Takes nothing until it is let, and may have taken what it says it did not. */
  function flakyStore(): Pick<EventStore, 'appendMany'> & { away: boolean } {
    return {
      away: true,
      async appendMany(requests) {
        const { away } = this;
        const results = await log.store.appendMany(away ? requests.slice(0, 1) : requests);
        if (!away) return results;
        return requests.map(() => ({ status: 'rejected', reason: new EventStoreUnavailable('away') }));
      },
    };
  }

  test('views are kept, and recorded once when it is back', async () => {
    const store = flakyStore();
    const views = recorder({ store });
    const id = v7();
    for (let index = 0; index < 20; index++) look(views, id, `viewer ${index}`);
    await eventually(async () => (await viewers(id)).length === 1, { what: 'the first try has half worked' });
    store.away = false;
    await eventually(async () => (await viewers(id)).length === 20, { what: 'all are recorded' });
    await views.close();
    expect(new Set(await viewers(id)).size).toBe(20);
  });

  test('a limited number of views is kept, the oldest are dropped, and that is logged', async () => {
    const store = flakyStore();
    const { logger, lines } = collectingLog();
    const views = recorder({ store, logger, mostHeld: 5 });
    const id = v7();
    for (let index = 0; index < 8; index++) look(views, id, `viewer ${index}`);
    // Claims are taken in the next turn of the event loop.
    await new Promise(setImmediate);
    store.away = false;
    await views.close();
    expect(await viewers(id)).toEqual([3, 4, 5, 6, 7].map((index) => `user:viewer ${index}`));
    expect(lines).toContainEqual(expect.objectContaining({ level: 50, views: 3 }));
  });

  test('closing gives up after a while', async () => {
    const { logger, lines } = collectingLog();
    const store: Pick<EventStore, 'appendMany'> = {
      appendMany: (requests) =>
        Promise.resolve(requests.map(() => ({ status: 'rejected', reason: new EventStoreUnavailable('away') }))),
    };
    const views = recorder({ store, logger });
    look(views, v7(), 'bob');
    await views.close();
    expect(lines).toContainEqual(expect.objectContaining({ level: 50, views: 1 }));
  });

  test('a view that can never be recorded does not hold up the others', async () => {
    const poison = v7();
    const id = v7();
    const { logger, lines } = collectingLog();
    const store: Pick<EventStore, 'appendMany'> = {
      async appendMany(requests) {
        const results = await log.store.appendMany(requests.filter(({ stream }) => !stream.includes(poison)));
        return requests.map(({ stream }) =>
          stream.includes(poison) ? { status: 'rejected', reason: new AppendRefused('no') } : results.shift()!,
        );
      },
    };
    const views = recorder({ store, logger });
    look(views, poison, 'bob');
    look(views, id, 'bob');
    await views.close();
    expect(await viewers(id)).toEqual(['user:bob']);
    expect(lines).toHaveLength(1);
  });
});

test('a view that another process counted a while ago does not begin a new minute', async () => {
  // As Redis answers: the other process counted at 0 s, and its claim ends at 60 s.
  let clock = 0;
  const gate: RedisGate = {
    run: <T>() => Promise.resolve((clock < 60_000 ? null : 'OK') as T),
    close: () => undefined,
  };
  const views = recorder({ claims: createRedisClaims({ gate, namespace: 'stub' }) });
  const id = v7();
  for (const ms of [59_000, 61_000, 90_000, 115_000]) {
    look(views, id, 'bob', (clock = ms));
    await new Promise(setImmediate);
  }
  await views.close();
  expect((await recorded(id)).map(({ data }) => data.at)).toEqual(['2025-03-01T12:01:01.000Z']);
});

const url = redisUrl('src/views/viewRecorder.int.test.ts, processes that share a Redis');
(url === undefined ? describe.skip : describe)('processes that share a Redis', () => {
  test('count one view a minute together, and each by itself while Redis is not available', async () => {
    await using server = await openTestRedis(url!);
    const namespace = randomUUID();
    const gates = await Promise.all(
      [1, 2].map(async () =>
        createRedisGate({ redis: await server.client(), logger: quiet, retryMs: 50, timeoutMs: 3_000 }),
      ),
    );
    const processes = gates.map((gate) => recorder({ claims: createRedisClaims({ gate, namespace }) }));
    const id = v7();
    // Across the end of a minute, where derived ids alone would count two.
    look(processes[0]!, id, 'bob', 59_999);
    await eventually(async () => (await viewers(id)).length === 1, { what: 'the first process has counted' });
    look(processes[1]!, id, 'bob', 60_001);
    look(processes[1]!, id, 'cem', 60_001);
    await eventually(async () => (await viewers(id)).includes('user:cem'), { what: 'the second process has counted' });
    expect(await viewers(id)).toEqual(['user:bob', 'user:cem']);
    server.hang();
    look(processes[1]!, id, 'dan', 60_001);
    await eventually(async () => (await viewers(id)).includes('user:dan'), { what: 'a view is counted without Redis' });
    await Promise.all(processes.map((views) => views.close()));
    for (const gate of gates) gate.close();
  });
});
