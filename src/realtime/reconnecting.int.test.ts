import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../tests/support/eventually.ts';
import type { FeedFollower } from '../../tests/support/feedFollower.ts';
import { OWNER, socketToken, useRealtime } from '../../tests/support/realtimeRig.ts';
import { startTcpProxy, type TcpProxy } from '../../tests/support/tcpProxy.ts';
import { createPostgresEventStore } from '../eventStore/postgres/postgresEventStore.ts';
import { createPool } from '../postgres/pool.ts';

const rig = useRealtime();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function proxyTo(url: string): Promise<TcpProxy> {
  const proxy = await startTcpProxy(url);
  cleanups.push(async () => proxy[Symbol.asyncDispose]());
  return proxy;
}

async function hasHeard(follower: FeedFollower, positions: readonly string[]): Promise<void> {
  await eventually(() => follower.heard.length, {
    within: 50_000,
    what: `all ${positions.length} events are heard`,
    holds: (count) => count >= positions.length,
  });
  expect(follower.heard.map(({ position }) => position)).toEqual(positions);
}

const subscribed = (follower: FeedFollower, times: number): Promise<boolean> =>
  eventually(() => follower.subscribed() >= times, { what: `it has subscribed ${times} times` });

describe.each(['websocket', 'polling'] as const)('a client that uses %s', (transport) => {
  test('reconnects with a new token after its connection was closed with the old one', async () => {
    const { main } = await rig.startApi();
    // Tokens count whole seconds: one of one second may have expired when the socket connects.
    const tokens = [socketToken(OWNER, 3), socketToken(OWNER)];
    const follower = rig.follow(main, {
      topics: ['me'],
      transports: [transport],
      auth: (give: (auth: object) => void) => give({ token: tokens.shift() }),
    });
    await subscribed(follower, 1);
    const before = await rig.like(randomUUID(), 2);
    await eventually(() => follower.disconnects.length > 0, { what: 'the connection ends' });
    const meanwhile = await rig.like(randomUUID(), 2);
    await subscribed(follower, 2);
    await hasHeard(follower, [...before, ...meanwhile, ...(await rig.like(randomUUID()))]);
    expect(follower.disconnects).not.toContain('io server disconnect');
  });

  test('that stops reading loses its connection, and continues from its position when it reads again', async () => {
    const { main } = await rig.startApi();
    const proxy = await proxyTo(main);
    const follower = rig.follow(proxy.url, {
      topics: ['me'],
      transports: [transport],
      auth: { token: socketToken(OWNER) },
    });
    await subscribed(follower, 1);
    // Not behind the proxy. What it hears has been pushed to the other one as well.
    const token = socketToken(OWNER, 120);
    const witness = rig.follow(main, { topics: ['me'], transports: ['websocket'], auth: { token } });
    await subscribed(witness, 1);
    const before = await rig.retitle(3);
    await eventually(() => follower.heard.length === 3, { what: 'it is up to date' });
    proxy.hang();
    // More than waits for a client: 5 000 packets, and, over a websocket, as many on their way and 10 MB in the
    // system's buffers.
    const missed = transport === 'polling' ? await rig.retitle(6_000) : await rig.retitle(15_000, 3_000);
    await hasHeard(witness, [...before, ...missed]);
    proxy.restore();
    await subscribed(follower, 2);
    await hasHeard(follower, [...before, ...missed, ...(await rig.retitle(1))]);
    expect(follower.disconnects).not.toContain('io server disconnect');
  }, 120_000);

  test('is refused by a process that has closed its sockets, and connects to its successor', async () => {
    const closing = await rig.startApi();
    const video = randomUUID();
    const follower = rig.follow(closing.main, { topics: [`video:${video}`], transports: [transport] });
    let refusals = 0;
    follower.socket.io.on('reconnect_error', () => (refusals += 1));
    await subscribed(follower, 1);
    const before = await rig.like(video, 3);
    await eventually(() => follower.heard.length === 3, { what: 'it is up to date' });
    // HTTP still answers, as while requests are drained.
    await closing.realtime.close();
    await eventually(() => refusals > 1, { what: 'it is refused' });
    const meanwhile = await rig.like(video, 3);
    await closing.close();
    await rig.startApi({ port: Number(new URL(closing.main).port) });
    await subscribed(follower, 2);
    await hasHeard(follower, [...before, ...meanwhile, ...(await rig.like(video))]);
  });
});

test('a client that does not answer does not delay the end of the process', async () => {
  const api = await rig.startApi();
  const proxy = await proxyTo(api.main);
  const follower = rig.follow(proxy.url, { topics: ['feed'], transports: ['websocket'] });
  await subscribed(follower, 1);
  proxy.hang();
  const ended = api.close().then(() => true);
  // ws alone waits for 30 s.
  await eventually(() => Promise.race([ended, false]), { what: 'the process ends', within: 15_000 });
});

test('a subscriber reconnects while the log cannot be read, and continues when it can be read', async () => {
  const proxy = await proxyTo(rig.database().url);
  const pool = createPool({ connectionString: proxy.url, name: 'behind a proxy' });
  const store = createPostgresEventStore({ pool });
  cleanups.push(
    () => pool.end(),
    () => store.close(),
  );
  const video = randomUUID();
  const [first, ...rest] = await rig.like(video, 3);
  const { main, close } = await rig.startApi({ store });
  cleanups.push(close);
  await subscribed(rig.follow(main, { topics: ['feed'] }), 1);
  proxy.cut();
  const follower = rig.follow(main, { topics: [`video:${video}`], since: first!, transports: ['websocket'] });
  await eventually(() => follower.disconnects.length > 1, { what: 'its connection is closed, again and again' });
  expect(new Set(follower.errors.map(({ code }) => code))).toEqual(new Set(['feed_unavailable']));
  expect(new Set(follower.disconnects)).toEqual(new Set(['transport close']));
  proxy.restore();
  await hasHeard(follower, rest);
});

test('a subscriber that has missed too many events gets an error and keeps its connection', async () => {
  const { main } = await rig.startApi();
  await rig.like(randomUUID(), 20_500);
  const video = randomUUID();
  const follower = rig.follow(main, { topics: [`video:${video}`], since: '0' });
  await eventually(() => follower.errors.length > 0, { what: 'it is told' });
  expect(follower.errors).toEqual([{ code: 'too_far_behind', message: expect.stringContaining('without "since"') }]);
  expect(await follower.socket.emitWithAck('subscribe', { topics: [`video:${video}`] })).toMatchObject({ ok: true });
  await hasHeard(follower, await rig.like(video, 2));
  expect([follower.disconnects, follower.subscribed()]).toEqual([[], 1]);
}, 60_000);
