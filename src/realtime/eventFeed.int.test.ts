import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { eventually } from '../../tests/support/eventually.ts';
import type { EventStore } from '../core/eventStore.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { feed as definition } from '../features/index.ts';
import { eventsOfFeatures } from './feedContent.ts';
import { createEventFeed, type EventFeed, type FeedSubscription } from './eventFeed.ts';
import type { PushedEvent } from './messages.ts';

let database: TestDatabase;
let store: EventStore;
let feed: EventFeed;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createPostgresEventStore({ pool: database.pool });
  const content = eventsOfFeatures(definition, store);
  feed = createEventFeed({ content, failed: () => undefined, catchUpsPerAddress: 1_000 });
});
afterAll(async () => {
  await feed.close();
  await store.close();
  await database[Symbol.asyncDispose]();
});

async function like(videoId: string): Promise<bigint> {
  const userId = randomUUID();
  const data = { videoId, userId, ownerId: 'owner', at: new Date().toISOString() };
  const { position } = await store.append(
    `like-${videoId}_${userId}`,
    [{ id: randomUUID(), type: 'VideoLiked', data, metadata: { correlationId: 'c', schemaVersion: 1 } }],
    'none',
  );
  return position;
}

async function listen(
  topics: string[],
  since?: bigint,
): Promise<{ heard: PushedEvent[]; subscription: FeedSubscription; started: Promise<void> }> {
  const heard: PushedEvent[] = [];
  const subscription = await feed.subscribe(
    {
      userId: undefined,
      address: 'here',
      topics,
      push: (event) => void heard.push(event),
      drained: () => Promise.resolve(),
    },
    since,
  );
  return { heard, subscription, started: subscription.start() };
}

const positions = (events: readonly PushedEvent[]): bigint[] => events.map(({ position }) => BigInt(position));

test('a subscription gets later events of its topics, no others, and none after its end', async () => {
  const video = randomUUID();
  const { heard, subscription, started } = await listen([`video:${video}`]);
  await started;
  const first = await like(video);
  await like(randomUUID());
  const second = await like(video);
  await eventually(() => heard.length === 2, { what: 'both are heard' });
  expect(positions(heard)).toEqual([first, second]);
  subscription.end();
  await like(video);
  const { heard: later, started: laterStarted } = await listen([`video:${video}`], second);
  await laterStarted;
  await eventually(() => later.length === 1, { what: 'someone else hears it' });
  expect(heard).toHaveLength(2);
});

test('subscribers get events in order, without gap or repeat, at any moment, from any position, while others write', async () => {
  const video = randomUUID();
  const from = await store.head();
  const written: bigint[] = [];
  const writers = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 60; n++) {
        written.push(await like(video));
        if (n % 3 === 0) await like(randomUUID());
      }
    }),
  );
  const listeners: { heard: PushedEvent[]; since: bigint }[] = [];
  for (let n = 0; n < 24; n++) {
    const since = n % 3 === 0 ? undefined : n % 3 === 1 ? from : (written.at(-1) ?? from);
    const { heard, subscription } = await listen([`video:${video}`], since);
    listeners.push({ heard, since: subscription.position });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writers;
  const all = [...written].sort((a, b) => (a < b ? -1 : 1));
  for (const { heard, since } of listeners) {
    const expected = all.filter((position) => position > since);
    await eventually(() => heard.length >= expected.length, { what: 'everything is heard' });
    expect(positions(heard)).toEqual(expected);
  }
});

test('many subscribers with many missed events all catch up', async () => {
  const video = randomUUID();
  const from = await store.head();
  for (let n = 0; n < 30; n++) await like(video);
  const listeners = await Promise.all(Array.from({ length: 20 }, () => listen([`video:${video}`], from)));
  await Promise.all(listeners.map(({ started }) => started));
  // Events that this process had not seen when they started arrive live.
  await eventually(() => listeners.every(({ heard }) => heard.length === 30), { what: 'each has heard all 30' });
});

describe('a position', () => {
  test('beyond the end of the log is refused', async () => {
    await expect(listen(['feed'], (await store.head()) + 1_000n)).rejects.toMatchObject({ code: 'position_unknown' });
  });

  test('at the end of the log is accepted, even when this process has not seen it yet', async () => {
    const video = randomUUID();
    const { heard, started } = await listen([`video:${video}`], await like(video));
    await started;
    await like(video);
    await eventually(() => heard.length > 0, { what: 'the next one is heard' });
    expect(heard).toHaveLength(1);
  });
});

test('an event that matches several topics arrives once', async () => {
  const video = randomUUID();
  const { heard, started } = await listen([`video:${video}`, 'me:owner']);
  await started;
  await like(video);
  const last = await like(video);
  await eventually(() => positions(heard).includes(last), { what: 'the last is heard' });
  expect(new Set(positions(heard)).size).toBe(heard.length);
});
